/**
 * The slots of a schedule: the times at which a cron expression says "now", in its time zone. Pure: no clock.
 *
 * Where clocks change: a slot inside the hour that is skipped in spring does not exist that day; a slot inside the hour
 * that comes twice in autumn exists twice. Schedules in UTC know neither.
 */
import { createTask, validateDetailed } from 'node-cron';

export interface Schedule {
  /** Cron expression of 5 or 6 fields (seconds first), or a nickname such as `@hourly`. */
  readonly expression: string;
  /** Name in the IANA time zone database. */
  readonly timezone: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Part of a schedule, and blocks of time each shorter than anything it names, also where clocks change. */
interface Level {
  readonly blockMs: number;
  readonly matches: (at: number) => boolean;
}

/** The first slot after `after` and not after `until`; undefined when there is none. Milliseconds since the epoch. */
export function firstSlotAfter(schedule: Schedule, after: number, until: number): number | undefined {
  const fields = validateDetailed(schedule.expression).fields;
  if (fields === undefined) return undefined;
  const [minute, hour, month] = [fields.minute.join(), fields.hour.join(), fields.month.join()];
  const days = [fields.dayOfMonth.join(), month, fields.dayOfWeek.join()];
  const seconds = fields.second.toSorted((a, b) => a - b);
  const on = (...parts: string[]): Level['matches'] => matcher(['*', ...parts], schedule.timezone);
  // matching is slow: a rare slot is looked for in months first, then in days, hours and minutes, never in seconds
  const levels: Level[] = [
    { blockMs: 14 * 24 * hourMs, matches: on('*', '*', '*', month, '*') },
    { blockMs: 6 * hourMs, matches: on('*', '*', ...days) },
    // an hour in which clocks change can last half as long
    { blockMs: 15 * minuteMs, matches: on('*', hour, ...days) },
  ];
  const inMinute = on(minute, hour, ...days);
  const slotIn = (at: number): number | undefined => {
    const slot = seconds.map((second) => at + second * 1000).find((time) => time > after && time <= until);
    return slot !== undefined && inMinute(at) ? slot : undefined;
  };
  return search(levels, Math.floor(after / minuteMs) * minuteMs, until + 1, slotIn);
}

/** The first slot in the minutes from `from` until before `to`. */
function search(
  levels: readonly Level[],
  from: number,
  to: number,
  slotIn: (minute: number) => number | undefined,
): number | undefined {
  const [level, ...finer] = levels;
  const stepMs = level?.blockMs ?? minuteMs;
  for (let block = Math.floor(from / stepMs) * stepMs; block < to; block += stepMs) {
    // what touches a block and is longer than it holds its beginning or its end
    if (level !== undefined && !level.matches(block) && !level.matches(block + stepMs)) continue;
    const slot =
      level === undefined
        ? slotIn(block)
        : search(finer, Math.max(block, from), Math.min(block + stepMs, to), slotIn);
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
