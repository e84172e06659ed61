import { stockHandler } from './ftp-srv.ts';
import { ReplyError } from './reply-error.ts';
import type { FtpServerSession } from './session.ts';
import { retrieve, store } from './transfers.ts';

type Run = (session: FtpServerSession, argument: string) => Promise<void>;
type Command = { readonly run: Run; readonly beforeLogin?: true };

/**
 * Every command there is; what is not here does not exist. In particular there is no AUTH (security is chosen by
 * the port, so that nothing is ever said before TLS), no PORT or EPRT (the server dials nobody), and nothing about
 * directories (a session has one).
 */
const commands: Readonly<Record<string, Command>> = {
  USER: { run: stock('USER'), beforeLogin: true },
  PASS: { run: pass, beforeLogin: true },
  QUIT: { run: quit, beforeLogin: true },
  NOOP: { run: stock('NOOP'), beforeLogin: true },
  FEAT: { run: feat, beforeLogin: true },
  OPTS: { run: opts, beforeLogin: true },
  PBSZ: { run: stock('PBSZ'), beforeLogin: true },
  PROT: { run: stock('PROT'), beforeLogin: true },
  TYPE: { run: type },
  EPSV: { run: epsv },
  PASV: { run: pasv },
  REST: { run: rest },
  SIZE: { run: size },
  XSHA256: { run: sha256 },
  STOR: { run: (session, name) => store(session, name, { atByte: takeRestart(session) }) },
  APPE: { run: (session, name) => (takeRestart(session), store(session, name, 'end')) },
  RETR: { run: (session, name) => retrieve(session, name, takeRestart(session)) },
  RNFR: { run: renameFrom },
  RNTO: { run: renameTo },
};

const features = ['EPSV', 'PBSZ', 'PROT', 'REST STREAM', 'SIZE', 'UTF8', 'XSHA256'];

/** @throws ReplyError for what is no command, or not yet one */
export function commandOf(line: string, loggedIn: boolean): { readonly run: Run; readonly argument: string } {
  const match = /^([A-Za-z0-9]{3,7})(?: ([\x20-\x7e]*))?$/.exec(line);
  if (!match) throw new ReplyError(500, 'Not a command');
  const [, verb = '', argument = ''] = match;
  const directive = verb.toUpperCase();
  const command = Object.hasOwn(commands, directive) ? commands[directive] : undefined;
  if (!command) throw new ReplyError(502, 'Command not supported');
  if (!loggedIn && !command.beforeLogin) throw new ReplyError(530, 'Log in first');
  return { run: command.run, argument };
}

/** A command ftp-srv handles as it is. */
function stock(directive: string): Run {
  const handler = stockHandler(directive);
  return async ({ connection, log }, argument) => {
    const command = { directive, arg: argument === '' ? null : argument };
    await handler.call(connection, {
      command,
      log: { error: (error) => log.debug({ err: error }, directive) },
    });
  };
}

async function pass(session: FtpServerSession, argument: string): Promise<void> {
  await stock('PASS')(session, argument);
  if (session.files || session.loginAttempts < session.context.limits.loginAttemptsMax) return;
  session.close(421, 'Too many logins');
}

async function quit(session: FtpServerSession): Promise<void> {
  session.close(221, 'Goodbye');
}

async function feat(session: FtpServerSession): Promise<void> {
  const lines = features.map((feature) => ({ message: ` ${feature}`, raw: true }));
  await session.reply(211, 'Extensions supported', ...lines, 'End');
}

async function opts(session: FtpServerSession, argument: string): Promise<void> {
  if (!/^utf-?8( on)?$/i.test(argument)) throw new ReplyError(501, 'No such option');
  await session.reply(200, 'Names are ASCII');
}

async function type(session: FtpServerSession, argument: string): Promise<void> {
  if (!/^(I|L 8)$/i.test(argument)) throw new ReplyError(504, 'Files are binary');
  await session.reply(200, 'Binary');
}

async function epsv(session: FtpServerSession): Promise<void> {
  const port = await openDataChannel(session);
  await session.reply(229, `Entering extended passive mode (|||${port}|)`);
}

async function pasv(session: FtpServerSession): Promise<void> {
  const address = session.context.passiveAddress(session.socket);
  if (!address) throw new ReplyError(502, 'Use EPSV');
  const port = await openDataChannel(session);
  const numbers = [...address.split('.'), port >> 8, port & 0xff];
  await session.reply(227, `Entering passive mode (${numbers.join(',')})`);
}

async function openDataChannel(session: FtpServerSession): Promise<number> {
  const channel = await session.context.openDataChannel(session);
  session.dataChannel = channel;
  return channel.port;
}

async function rest(session: FtpServerSession, argument: string): Promise<void> {
  if (!/^\d{1,15}$/.test(argument)) throw new ReplyError(501, 'Not a byte count');
  session.restartAtByte = Number(argument);
  await session.reply(350, `Next transfer begins at byte ${argument}`);
}

function takeRestart(session: FtpServerSession): number {
  const atByte = session.restartAtByte;
  session.restartAtByte = 0;
  return atByte;
}

async function size(session: FtpServerSession, name: string): Promise<void> {
  await session.reply(213, String(await session.files?.size(name)));
}

async function sha256(session: FtpServerSession, name: string): Promise<void> {
  const digest = await session.whileBusy(async () => session.files?.sha256(name, session.signal));
  await session.reply(250, digest);
}

async function renameFrom(session: FtpServerSession, name: string): Promise<void> {
  await session.files?.size(name);
  session.renameFrom = name;
  await session.reply(350, 'Ready for RNTO');
}

async function renameTo(session: FtpServerSession, name: string): Promise<void> {
  const from = session.renameFrom;
  if (from === undefined) throw new ReplyError(503, 'Use RNFR first');
  session.renameFrom = undefined;
  await session.files?.rename(from, name);
  await session.reply(250, 'Renamed');
}
