import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { registeredErrorOf } from '../../platform/http/server-errors.ts';
import { DualhomeError } from '../../protocol/errors/index.ts';
import { problemOf } from '../../protocol/errors/problem.ts';
import { changeSchema } from '../../protocol/rest/changes.ts';
import type { ChangeBody, ChangeDone } from '../../protocol/rest/changes.ts';
import { faultsOf } from '../change/parse-row.ts';
import { incoming } from './incoming.ts';
import { LineSplitter } from '../../platform/stream/line-splitter.ts';
import type { Line } from '../../platform/stream/line-splitter.ts';
import { OrderedOutput } from './ordered-output.ts';

/** Longest line of a stream of changes; the largest row takes a few thousand bytes. */
const lineBytesMax = 65_536;
const passedOverMax = 16 * 1_048_576;

/** Changes of one stream that are not answered yet. */
const underWayMax = 256;

export type MakeChange = (
  change: ChangeBody,
  line: { readonly where: string; readonly bytes: number },
) => Promise<ChangeDone>;

/**
 * Takes changes, one to a line, and answers each with one line in the same order, as soon as it and all before it are
 * done; reading and answering go on at the same time. A line that is refused, or is no change, is answered with a
 * problem, and the stream goes on.
 */
export async function serveChanges(
  body: IncomingMessage,
  output: Writable,
  make: MakeChange,
  signal: AbortSignal,
): Promise<void> {
  const splitter = new LineSplitter({
    bytesMax: lineBytesMax,
    passedOverMax,
    giveUpWith: 'API_BODY_TOO_LARGE',
  });
  const answers = new OrderedOutput(output, underWayMax);
  const take = async (lines: Iterable<Line>): Promise<void> => {
    for (const line of lines) {
      if ('text' in line && line.text.trim() === '') continue;
      await answers.room();
      answers.add(answerTo(line, make));
    }
  };
  try {
    for await (const chunk of incoming(body, signal)) await take(splitter.push(chunk));
    if (!signal.aborted) await take(splitter.end());
  } catch (error) {
    if (body.destroyed && !body.complete) return;
    answers.add(Promise.resolve(textOf({ problem: problemOf(registeredErrorOf(error)) })));
  }
  await answers.written();
}

async function answerTo(line: Line, make: MakeChange): Promise<string> {
  try {
    const change = parseLine(line);
    const bytes = 'text' in line ? line.text.length : 0;
    const { seq, changed } = await make(change, { where: `line ${line.number}`, bytes });
    return `{"line":${line.number},"seq":${seq},"changed":${changed}}\n`;
  } catch (error) {
    return textOf({ line: line.number, problem: problemOf(registeredErrorOf(error)) });
  }
}

function parseLine(line: Line): ChangeBody {
  const where = `line ${line.number}`;
  if ('fault' in line) throw unreadable(where, line.fault);
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    throw unreadable(where, 'not JSON');
  }
  const parsed = changeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new DualhomeError('API_REQUEST_INVALID', {
    detail: `${where} is not a change`,
    facts: { errors: faultsOf(parsed.error, where) },
  });
}

function unreadable(where: string, fault: string): DualhomeError {
  return new DualhomeError('API_REQUEST_INVALID', { detail: `${where}: ${fault}`, facts: {} });
}

const textOf = (value: object): string => `${JSON.stringify(value)}\n`;
