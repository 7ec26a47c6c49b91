/**
 * The slots of a schedule: the times at which a cron expression says "now", in its time zone. Pure: no clock.
 *
 * Where clocks change: a slot inside the hour that is skipped in spring does not exist that day; a slot inside the hour
 * that comes twice in autumn exists twice, and node-cron runs it once. Schedules in UTC know neither.
 */
import { createTask, validateDetailed } from 'node-cron';

export interface Schedule {
  /** Cron expression of 5 or 6 fields (seconds first), or a nickname such as `@hourly`. */
  readonly expression: string;
  /** Name in the IANA time zone database. */
  readonly timezone: string;
}

const minuteMs = 60_000;
/** Shorter than any day, also one on which clocks change: a day that touches a block holds its beginning or its end. */
const blockMs = 6 * 60 * minuteMs;

/** The first slot after `after` and not after `until`; undefined when there is none. Milliseconds since the epoch. */
export function firstSlotAfter(schedule: Schedule, after: number, until: number): number | undefined {
  const fields = validateDetailed(schedule.expression).fields;
  if (fields === undefined) return undefined;
  const days = [fields.dayOfMonth, fields.month, fields.dayOfWeek].map((field) => field.join());
  // matching is slow: a yearly schedule is looked for in days first, then in minutes, never in seconds
  const onDay = matcher(['*', '*', '*', ...days], schedule.timezone);
  const inMinute = matcher(['*', fields.minute.join(), fields.hour.join(), ...days], schedule.timezone);
  const seconds = fields.second.toSorted((a, b) => a - b);
  const slotIn = (minute: number): number | undefined =>
    seconds.map((second) => minute + second * 1000).find((at) => at > after && at <= until);

  for (let block = Math.floor(after / blockMs) * blockMs; block <= until; block += blockMs) {
    if (!onDay(block) && !onDay(block + blockMs)) continue;
    for (let minute = block; minute < block + blockMs; minute += minuteMs) {
      const slot = slotIn(minute);
      if (slot !== undefined && inMinute(minute)) return slot;
    }
  }
  return undefined;
}

function matcher(fields: readonly string[], timezone: string): (at: number) => boolean {
  const task = createTask(fields.join(' '), () => undefined, { timezone });
  // createTask keeps every task in a registry of its own until it is destroyed; matching needs no registry
  void task.destroy();
  return (at) => task.match(new Date(at));
}
