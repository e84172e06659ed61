import { inspect, styleText } from 'node:util';
import { z } from 'zod';

const lineSchema = z.looseObject({
  level: z.string(),
  time: z.string(),
  program: z.string(),
  msg: z.string().optional(),
});

const colours = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'magenta' } as const;

/** One JSON log line as a person at a terminal reads it: `10:20:30.456 INFO  api  message key=value`. */
export function formatForTerminal(json: string): string {
  const { level, time, program, msg = '', pid: _pid, err, ...facts } = lineSchema.parse(JSON.parse(json));
  const colour = level in colours ? colours[level as keyof typeof colours] : 'gray';
  const label = styleText(colour, level.toUpperCase().padEnd(5), { validateStream: false });
  const pairs = Object.entries(facts).map(([key, value]) => `${key}=${show(value)}`);
  const head = [time.slice(11, 23), label, program, msg, ...pairs].join(' ');
  return err === undefined ? `${head}\n` : `${head}\n${inspect(err, { depth: 6, breakLength: 100 })}\n`;
}

function show(value: unknown): string {
  return typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value);
}
