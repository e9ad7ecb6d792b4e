// Medians, and the one way to take samples: all sides in one run, in turns, so that what else the machine does meets each
// of them alike.

/** The value below which a share of the samples lies, 0 to 1, between neighbours in proportion. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError('no samples');
  return below + (above - below) * (place - Math.floor(place));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

type Sides = Record<string, () => unknown>;
type Series<T extends Sides> = { [K in keyof T]: Awaited<ReturnType<T[K]>>[] };

/**
 * Takes one sample of each side in turns until each has `count`; the first `warmUp` are thrown away. Every other round goes
 * backwards (A B, B A, A B …), so that none always comes right after the same other.
 */
export async function interleave<T extends Sides>(count: number, sides: T, warmUp = 1): Promise<Series<T>> {
  const names = Object.keys(sides) as (keyof T)[];
  const series = Object.fromEntries(names.map((name) => [name, [] as unknown[]])) as Series<T>;
  for (let round = -warmUp; round < count; round++) {
    for (const name of names) {
      const sample = await sides[name]?.();
      if (round >= 0) series[name].push(sample as Series<T>[keyof T][number]);
    }
    names.reverse();
  }
  return series;
}
