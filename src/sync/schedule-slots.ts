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

/** Looks for a slot in a stretch of time, from `from` on. */
type Search = (from: number) => number | undefined;

/** The first slot after `after` and not after `until`; undefined when there is none. Milliseconds since the epoch. */
export function firstSlotAfter(schedule: Schedule, after: number, until: number): number | undefined {
  const fields = validateDetailed(schedule.expression).fields;
  if (fields === undefined) return undefined;
  const { timezone } = schedule;
  const [hour, month] = [fields.hour.join(), fields.month.join()];
  const days = [fields.dayOfMonth.join(), month, fields.dayOfWeek.join()];
  const seconds = fields.second.toSorted((a, b) => a - b);
  const inMinute = matcher(['*', fields.minute.join(), hour, ...days], timezone);
  const slotIn: Search = (minute) => {
    const slot = seconds.map((second) => minute + second * 1000).find((at) => at > after && at <= until);
    return slot !== undefined && inMinute(minute) ? slot : undefined;
  };
  // matching is slow: a rare slot is looked for in months first, then in days, hours, minutes, never in seconds.
  // each block is shorter than what it looks for, so that a month that touches a block holds its beginning or its end;
  // days and hours are cut short where clocks change, to half an hour at the least
  const inHour = inBlocks(15 * minuteMs, minuteMs, matcher(['*', '*', hour, ...days], timezone), slotIn);
  const onDay = inBlocks(6 * 60 * minuteMs, 15 * minuteMs, matcher(['*', '*', '*', ...days], timezone), inHour);
  const inMonth = inBlocks(
    14 * 24 * 60 * minuteMs,
    6 * 60 * minuteMs,
    matcher(['*', '*', '*', '*', month, '*'], timezone),
    onDay,
  );
  const blockMs = 14 * 24 * 60 * minuteMs;
  for (let block = Math.floor(after / blockMs) * blockMs; block <= until; block += blockMs) {
    const slot = inMonth(block);
    if (slot !== undefined) return slot;
  }
  return undefined;
}

function matcher(fields: readonly string[], timezone: string): (at: number) => boolean {
  const task = createTask(fields.join(' '), () => undefined, { timezone });
  // createTask keeps every task in a registry of its own until it is destroyed; matching needs no registry
  void task.destroy();
  return (at) => task.match(new Date(at));
}
