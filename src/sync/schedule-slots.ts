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
/** Every time zone in use today is a whole number of quarters from UTC, so no local day begins inside one. */
const quarterMs = 15 * minuteMs;

/** The first slot after `after` and not after `until`; undefined when there is none. Milliseconds since the epoch. */
export function firstSlotAfter(schedule: Schedule, after: number, until: number): number | undefined {
  const fields = validateDetailed(schedule.expression).fields;
  if (fields === undefined) return undefined;
  const isSlot = matcher(schedule.expression, schedule.timezone);
  // a yearly schedule is found in days, not in seconds
  const onSlotDay = matcher(
    `* * * ${fields.dayOfMonth.join()} ${fields.month.join()} ${fields.dayOfWeek.join()}`,
    schedule.timezone,
  );
  const isBetween = (at: number): boolean => at > after && at <= until;
  for (let quarter = Math.floor(after / quarterMs) * quarterMs; quarter <= until; quarter += quarterMs) {
    if (!onSlotDay(quarter)) continue;
    for (let minute = quarter; minute < quarter + quarterMs; minute += minuteMs) {
      const slot = fields.second
        .map((second) => minute + second * 1000)
        .find((at) => isBetween(at) && isSlot(at));
      if (slot !== undefined) return slot;
    }
  }
  return undefined;
}

function matcher(expression: string, timezone: string): (at: number) => boolean {
  const task = createTask(expression, () => undefined, { timezone });
  // createTask keeps every task in a registry of its own until it is destroyed; matching needs no registry
  void task.destroy();
  return (at) => task.match(new Date(at));
}
