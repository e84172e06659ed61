import type { FTPContext } from 'basic-ftp';

/** A server whose line is longer is left to basic-ftp's own limit. */
const unfinishedMax = 1 << 16;

/**
 * Makes basic-ftp see only whole lines. Version 6.2.6 takes the first part of a reply that comes in two packets for
 * the whole of it (`213 30` of `213 3000`), or loses it.
 */
export function seeWholeReplies(context: FTPContext): void {
  const receive = context['_onControlSocketData'].bind(context);
  let unfinished = '';
  context['_onControlSocketData'] = (chunk) => {
    const text = unfinished + chunk;
    const end = text.length > unfinishedMax ? text.length : text.lastIndexOf('\n') + 1;
    unfinished = text.slice(end);
    if (end > 0) receive(text.slice(0, end));
  };
}
