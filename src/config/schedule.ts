/**
 * What the configuration needs to know about schedules: are they valid, and how long can they stay silent.
 *
 * Pure. The schedules themselves are run by sync.
 */
import { validateDetailed } from 'node-cron';

export const nicknames: readonly string[] = [
  '@hourly',
  '@daily',
  '@midnight',
  '@weekly',
  '@monthly',
  '@yearly',
];

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const day = 1440;
const fourYears = 1461;

/**
 * The longest time between two runs of a valid schedule, in milliseconds, to the minute; clock changes left out.
 * Undefined when the schedule uses `L`, `W` or `#`.
 */
export function longestPause(expression: string): number | undefined {
  const { fields } = validateDetailed(expression);
  if (fields === undefined) return undefined;
  const ascending = (a: number, b: number) => a - b;
  const minutes = fields.hour
    .flatMap((hour) => fields.minute.map((minute) => hour * 60 + minute))
    .toSorted(ascending);
  const [first, last] = [minutes[0], minutes.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const days = matchingDays(fields);
  if (days.length < 2) return undefined;
  const within = widest(minutes);
  const between = widest(days) * day - last + first;
  return Math.max(within, between) * 60_000;
}

interface DayFields {
  readonly dayOfMonth: readonly (number | string)[];
  readonly month: readonly number[];
  readonly dayOfWeek: readonly (number | string)[];
}

/** Day numbers of four years (one leap year among them) that the schedule matches. */
function matchingDays(fields: DayFields): number[] {
  const days = Array.from({ length: fourYears }, (_, index) => index);
  return days.filter((index) => {
    const date = new Date(Date.UTC(2027, 0, 1 + index));
    return (
      fields.month.includes(date.getUTCMonth() + 1) &&
      fields.dayOfMonth.includes(date.getUTCDate()) &&
      fields.dayOfWeek.includes(date.getUTCDay())
    );
  });
}

function widest(sorted: readonly number[]): number {
  return sorted.reduce((gap, value, index) => Math.max(gap, value - (sorted[index - 1] ?? value)), 0);
}
