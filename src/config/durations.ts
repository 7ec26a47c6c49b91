/**
 * Durations (`"90s" "15m" "48h" "7d"`) and sizes (`"256MiB"`) as people write them in the configuration.
 *
 * Promises milliseconds and bytes as safe whole numbers. Refuses a bare number for a duration (seconds or milliseconds?
 * nobody can tell), fractions, signs, and months or years, whose length is not fixed.
 */

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/;
export const sizePattern = /^(\d{1,9})(B|KiB|MiB|GiB)$/;

/** Milliseconds, or undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  return scaled(durationPattern.exec(text), milliseconds);
}

/** Bytes, or undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  return scaled(sizePattern.exec(text), bytes);
}

/** The shortest text that `parseDuration` reads back to the same number. */
export function formatDuration(value: number): string {
  return shortest(value, milliseconds, 'ms');
}

/** The shortest text that `parseSize` reads back to the same number. */
export function formatSize(value: number): string {
  return shortest(value, bytes, 'B');
}

function scaled(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): number | undefined {
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  return Number.isSafeInteger(value) ? value : undefined;
}

function shortest(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units).filter(([, size]) => value !== 0 && value % size === 0);
  const [name, size] = fitting.at(-1) ?? [smallest === 'ms' ? 's' : smallest, 1];
  return `${value / size}${name}`;
}
