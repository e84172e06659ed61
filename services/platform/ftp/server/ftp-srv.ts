import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { FtpSrv } from 'ftp-srv';
import type { Logger } from '../../logging/logger.ts';

/** What this adapter uses of one connection of ftp-srv; its published types leave most of it out. */
export type StockConnection = {
  readonly id: string;
  readonly commandSocket: Socket;
  /** Resolves when the reply is with the operating system; never rejects. */
  reply(code: number, ...lines: unknown[]): PromiseLike<unknown>;
};

/** One command as ftp-srv's handlers take it. */
export type StockCommand = { readonly directive: string; readonly arg: string | null };

type StockHandler = (
  this: StockConnection,
  parameters: { readonly log: { error(error: unknown): void }; readonly command: StockCommand },
) => PromiseLike<unknown>;

/** What this adapter uses of ftp-srv's server. */
export type StockServer = {
  readonly server: Server;
  readonly connections: Record<string, StockConnection>;
  listen(): PromiseLike<unknown>;
  on(event: 'connect', listener: (event: { readonly connection: StockConnection }) => void): unknown;
  on(event: 'login', listener: StockLoginListener): unknown;
};

type StockLoginListener = (
  login: { readonly connection: StockConnection; readonly username: string; readonly password: string },
  resolve: (accepted: { readonly fs: object }) => void,
  reject: (error: Error) => void,
) => void;

export type StockServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly log: Logger;
};

const registry = createRequire(import.meta.url)('ftp-srv/src/commands/registry') as Readonly<
  Record<string, { readonly handler: StockHandler }>
>;

/** The handler ftp-srv has for a command. */
export function stockHandler(directive: string): StockHandler {
  const entry = registry[directive];
  if (!entry) throw new Error(`ftp-srv has no ${directive}`);
  return entry.handler;
}

const hijackedSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/** A server of ftp-srv, not yet listening, without the signal handlers that would end the process. */
export function createStockServer({ host, port, tls, log }: StockServerOptions): StockServer {
  const before = new Map(hijackedSignals.map((signal) => [signal, process.listeners(signal)]));
  const literal = host.includes(':') ? `[${host}]` : host;
  const server = new FtpSrv({
    url: `${tls ? 'ftps' : 'ftp'}://${literal}:${port}`,
    ...(tls ? { tls } : {}),
    log: quietLog(log),
  });
  for (const [signal, listeners] of before) {
    for (const listener of process.listeners(signal)) {
      if (!listeners.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return server as unknown as StockServer;
}

/** ftp-srv reports what clients do wrong as errors; the sessions report it themselves. */
function quietLog(log: Logger) {
  const debug = (facts: object | string) => log.debug({ facts }, 'ftp-srv');
  const nothing = () => undefined;
  return {
    trace: nothing,
    debug: nothing,
    info: debug,
    warn: debug,
    error: debug,
    child: (bindings: object) => quietLog(log.child(bindings)),
  };
}
