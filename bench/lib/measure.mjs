/**
 * What every benchmark shares: medians, contenders measured in turn, and the one shape of a result.
 *
 * Contenders alternate within a round, so that a machine that gets slower or faster meets all of them alike; the first
 * round warms up and is thrown away.
 */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

/** Runs each contender once a round; returns the median of each, by name. A contender returns its figure. */
export async function alternate(contenders, { rounds = 5, warmUps = 1 } = {}) {
  const figures = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, measure] of Object.entries(contenders)) {
      const figure = await measure();
      progress(`${name}: ${figure.toPrecision(5)}${round < 0 ? ' (warm-up)' : ''}`);
      if (round >= 0) figures.get(name).push(figure);
    }
  }
  return Object.fromEntries([...figures].map(([name, values]) => [name, median(values)]));
}

/** Seconds that `work` took. */
export async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/**
 * Prints one result, a line of JSON for bench/run.mjs. `value` is what the target speaks of: a ratio, or the figure
 * itself. `target` is { atLeast } or { atMost }.
 */
export function report({ name, unit, rows, value, valueUnit = '×', target, notes = [] }) {
  const met = target.atLeast === undefined ? value <= target.atMost : value >= target.atLeast;
  process.stdout.write(
    `${JSON.stringify({ name, unit, rows, ratio: value, valueUnit, target, met, notes })}\n`,
  );
}

/** Says on stderr what is going on. */
export function progress(text) {
  process.stderr.write(`  ${text}\n`);
}

export function must(condition, text) {
  if (!condition) throw new Error(text);
}
