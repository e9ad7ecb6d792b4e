// What a benchmark found, as a table for people or as JSON. Nothing here judges by an exit code: a figure that misses its
// target is shown as missed, and that is all.
import { arch, cpus, release } from 'node:os';
import { median, quantile } from './stats.js';

export type Unit = 'ms' | 'MiB' | '/s';
export type Target = { atLeast: number } | { atMost: number };

/** One side of a comparison: what ran, and what each sample of it was. */
export interface Side {
  label: string;
  samples: readonly number[];
}

/** One figure: the first side divided by the second. Sample n of the one and sample n of the other are a pair. */
export interface Row {
  what: string;
  unit: Unit;
  sides: readonly [Side, Side];
  target?: Target;
}

export interface Report {
  bench: string;
  summary: string;
  /** Node's version that the figures belong to. */
  node: string;
  rows: readonly Row[];
}

export const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Linux ${release()} ${arch()}`;

/**
 * The ratios of the pairs: the median, and what is left without the lowest and the highest quarter, which tells how far the
 * median can be trusted. The two samples of a pair met the same machine; the medians of the sides may not have.
 */
function ratio([first, second]: Row['sides']): { median: number; middleHalf: [number, number] } {
  const pairs = first.samples.map((sample, n) => sample / (second.samples[n] ?? Number.NaN));
  return { median: median(pairs), middleHalf: [quantile(pairs, 0.25), quantile(pairs, 0.75)] };
}

function isMet(target: Target, value: number): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** Three digits that count: 0.0123, 1.23, 12.3, 1234. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function verdict(target: Target | undefined, value: number): string {
  if (!target) return '';
  const limit = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  return `${limit} ${isMet(target, value) ? 'met' : 'missed'}`;
}

function cells(row: Row): string[] {
  const [first, second] = row.sides;
  const { median: value, middleHalf } = ratio(row.sides);
  return [
    row.what,
    `${digits(median(first.samples))} ${row.unit}`,
    `${digits(median(second.samples))} ${row.unit}`,
    digits(value),
    middleHalf.map(digits).join(' … '),
    verdict(row.target, value),
    String(first.samples.length),
  ];
}

function aligned(lines: readonly string[][]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('   '),
    )
    .join('\n');
}

/** The report as text; rows that compare the same two things share a table. */
export function asText(report: Report): string {
  const tables = new Map<string, string[][]>();
  for (const row of report.rows) {
    const [first, second] = row.sides;
    const labels = `${first.label} : ${second.label}`;
    const head = ['', first.label, second.label, 'ratio', 'middle half', 'target', 'samples'];
    const table = tables.get(labels) ?? [head];
    table.push(cells(row));
    tables.set(labels, table);
  }
  const title = `${report.bench}: ${report.summary}\nNode ${report.node}, ${machine}`;
  return `${[title, ...[...tables.values()].map(aligned)].join('\n\n')}\n`;
}

/** The report with what the text shows already worked out, beside all samples. */
export function asJson(report: Report): object {
  const rows = report.rows.map((row) => {
    const { median: value, middleHalf } = ratio(row.sides);
    return {
      what: row.what,
      unit: row.unit,
      sides: row.sides.map((side) => ({ label: side.label, median: median(side.samples), samples: side.samples })),
      ratio: value,
      middleHalf,
      ...(row.target && { target: row.target, met: isMet(row.target, value) }),
    };
  });
  return { ...report, machine, rows };
}
