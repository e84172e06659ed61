import { DualhomeError } from '../../protocol/errors/index.ts';
import type { Hello } from '../../protocol/link/frame.ts';
import { handshakeMs } from '../../protocol/link/limits.ts';
import { commonVersion } from '../../protocol/link/version.ts';
import type { Connection } from './connection.ts';

/** Two ends that know each other; `version` is undefined where they have none in common. */
export type Greeted = { readonly hello: Hello; readonly version: number | undefined };

export type GreetOptions = {
  readonly connection: Connection;
  /** Ours. */
  readonly hello: Hello;
  /** Called before any further frame is read: it has to `listen`. */
  readonly onGreeted: (greeted: Greeted) => void;
  /** The connection is closed. */
  readonly onFailed: (error: DualhomeError) => void;
};

/**
 * Says HELLO and waits for the peer's. Whom the certificate named is known: the HELLO must be of that
 * site and for this one.
 */
export function greet({ connection, hello, onGreeted, onFailed }: GreetOptions): void {
  const timer = setTimeout(
    () => connection.close('LINK_SILENT', `no HELLO within ${handshakeMs} ms`),
    handshakeMs,
  );
  connection.listen({
    onHeard: () => undefined,
    onFrame: (frame) => {
      if (frame.name !== 'hello')
        throw new DualhomeError('LINK_FRAME_INVALID', { detail: `${frame.name} before HELLO` });
      checkNames(hello, frame.body);
      clearTimeout(timer);
      const version = commonVersion(hello.protocol, frame.body.protocol);
      connection.upgrade(version);
      onGreeted({ hello: frame.body, version });
    },
    onClosed: (error) => {
      clearTimeout(timer);
      onFailed(error);
    },
  });
  // Where it cannot be sent the connection is closed, of which the listener hears.
  connection.send('hello', hello).catch(() => undefined);
}

function checkNames(own: Hello, { site, peer }: Hello): void {
  if (site === own.peer && peer === own.site) return;
  throw new DualhomeError('LINK_PEER_MISMATCH', {
    detail: `${site} says HELLO to ${peer}; expected ${own.peer} to ${own.site}`,
  });
}
