/** What a run of sipp came to. */
export type SippStatistics = {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly elapsedMs: number;
};

/** Reads the last line of a file that -trace_stat wrote. Its own ElapsedTime is in whole seconds only. */
export function parseStatistics(csv: string): SippStatistics {
  const lines = csv.trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const values = (lines.at(-1) ?? '').split(';');
  const valueOf = (name: string): string => values[names.indexOf(name)] ?? '';
  return {
    successful: Number(valueOf('SuccessfulCall(C)')),
    failed: Number(valueOf('FailedCall(C)')),
    retransmissions: Number(valueOf('Retransmissions(C)')),
    elapsedMs: timeMs(valueOf('CurrentTime')) - timeMs(valueOf('StartTime')),
  };
}

/** Response times from a file that -trace_rtt wrote, in whole milliseconds. */
export function parseResponseTimes(csv: string): readonly number[] {
  return csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(';')[1]));
}

/** A time as sipp writes it: date, time, and seconds since 1970. */
const timeMs = (text: string): number => Number(text.split('\t')[2]) * 1000;
