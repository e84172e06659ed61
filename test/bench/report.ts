/** Which figures of a case are good ones. */
export type Better = 'lower' | 'higher';

/** One measured case: ours beside the peer's in the same run, the median of the runs of each. */
export type Case = {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number;
  /** ours / peer. */
  readonly ratio: number;
  /** Highest ratio that meets the aim, the lowest where `better` is `higher`; null for a figure that is only reported. */
  readonly aim: number | null;
  readonly better: Better;
  /** A figure without an aim counts as met. */
  readonly met: boolean;
};

export type ProcessPeak = { readonly name: string; readonly rssMaxMb: number };

export type Report = {
  readonly bench: string;
  readonly cases: readonly Case[];
  readonly processes: readonly ProcessPeak[];
};

export const median = (values: readonly number[]): number => percentile(values, 50);

/** The value below which `percent` of the values lie (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** A case from the figures of several alternating runs. */
export function caseOf(
  name: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[],
  aim: number | null,
  better: Better = 'lower',
): Case {
  const ratio = median(ours) / median(peer);
  return {
    name,
    unit,
    ours: round(median(ours)),
    peer: round(median(peer)),
    ratio: round(ratio),
    aim,
    better,
    met: aim === null || (better === 'lower' ? ratio <= aim : ratio >= aim),
  };
}

/** A case with a limit of its own, which stands in the place of the peer. */
export function limitCase(name: string, unit: string, ours: readonly number[], limit: number): Case {
  return caseOf(`${name}, limit`, unit, ours, [limit], 1);
}

const round = (value: number): number => Number(value.toPrecision(3));

/** Prints the report as a table; with `json` the last line is the report as one JSON object. */
export function printReport(report: Report, { json }: { readonly json: boolean }): void {
  const rows = [
    ['case', 'unit', 'ours', 'peer', 'ratio', 'aim', ''],
    ...report.cases.map((c) => [
      c.name,
      c.unit,
      String(c.ours),
      String(c.peer),
      String(c.ratio),
      c.aim === null ? '-' : `${c.better === 'lower' ? '<=' : '>='} ${c.aim}`,
      c.aim === null ? '' : c.met ? 'met' : 'NOT MET',
    ]),
  ];
  console.log(`\n${report.bench}\n${table(rows)}`);
  if (report.processes.length > 0) {
    console.log(
      `\n${table([['process', 'peak RSS MB'], ...report.processes.map((p) => [p.name, String(p.rssMaxMb)])])}`,
    );
  }
  if (json) console.log(JSON.stringify(report));
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
