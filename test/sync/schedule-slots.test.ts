import { describe, expect, it, vi } from 'vitest';
import { firstSlotAfter } from '../../src/sync/schedule-slots.js';

const count = vi.hoisted(() => ({ matches: 0 }));

/** node-cron itself, but for a count of what is slow in it. */
vi.mock(import('node-cron'), async (importOriginal) => {
  const original = await importOriginal();
  const createTask: typeof original.createTask = (...args) => {
    const task = original.createTask(...args);
    const match = task.match.bind(task);
    task.match = (date) => {
      count.matches += 1;
      return match(date);
    };
    return task;
  };
  return { ...original, createTask };
});

function first(expression: string, timezone: string, after: string, until: string): string | undefined {
  const slot = firstSlotAfter({ expression, timezone }, Date.parse(after), Date.parse(until));
  return slot === undefined ? undefined : new Date(slot).toISOString().replace('.000Z', 'Z');
}

describe('firstSlotAfter', () => {
  it('finds a slot that passed, and none when none did', () => {
    expect(first('30 2 * * *', 'UTC', '2026-03-01T02:30:00Z', '2026-03-02T02:29:59Z')).toBeUndefined();
    expect(first('30 2 * * *', 'UTC', '2026-03-01T02:30:00Z', '2026-03-02T02:30:00Z')).toBe(
      '2026-03-02T02:30:00Z',
    );
    expect(first('30 2 * * *', 'UTC', '2026-03-01T02:29:59Z', '2026-03-09T00:00:00Z')).toBe(
      '2026-03-01T02:30:00Z',
    );
  });

  it('reads the expression in its time zone, also where days begin at a half or a quarter of our hour', () => {
    const [after, until] = ['2026-01-10T12:00:00Z', '2026-01-12T12:00:00Z'];
    expect(first('0 2 * * *', 'Europe/Berlin', after, until)).toBe('2026-01-11T01:00:00Z');
    expect(first('0 2 * * *', 'America/New_York', after, until)).toBe('2026-01-11T07:00:00Z');
    expect(first('0 0 11 * *', 'Asia/Kolkata', after, until)).toBe('2026-01-10T18:30:00Z');
    expect(first('0 0 11 * *', 'Asia/Kathmandu', after, until)).toBe('2026-01-10T18:15:00Z');
  });

  it('knows seconds, nicknames, and days of the month and of the week', () => {
    const [after, until] = ['2026-01-10T12:00:00Z', '2027-12-31T00:00:00Z'];
    expect(first('*/20 * * * * *', 'UTC', '2026-01-10T12:00:20Z', until)).toBe('2026-01-10T12:00:40Z');
    expect(first('@hourly', 'UTC', after, until)).toBe('2026-01-10T13:00:00Z');
    expect(first('@yearly', 'UTC', after, until)).toBe('2027-01-01T00:00:00Z');
    expect(first('0 6 * * 1', 'UTC', after, until)).toBe('2026-01-12T06:00:00Z');
    expect(first('0 6 L * *', 'UTC', after, until)).toBe('2026-01-31T06:00:00Z');
    expect(first('0 6 * * 5#2', 'UTC', after, until)).toBe('2026-02-13T06:00:00Z');
  });

  it('has no slot in the hour that spring skips, and one in each of the two that autumn has', () => {
    const berlin = (after: string, until: string): string | undefined =>
      first('30 2 * * *', 'Europe/Berlin', after, until);
    expect(berlin('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toBeUndefined();
    expect(berlin('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toBe('2026-10-25T00:30:00Z');
    expect(berlin('2026-10-25T00:30:00Z', '2026-10-25T12:00:00Z')).toBe('2026-10-25T01:30:00Z');
  });

  it('finds a rare slot, years away', () => {
    expect(first('0 0 29 2 *', 'Europe/Berlin', '2024-03-01T00:00:00Z', '2028-03-01T00:00:00Z')).toBe(
      '2028-02-28T23:00:00Z',
    );
  });

  it('looks for a yearly slot without keeping the main thread busy', () => {
    for (const timezone of ['UTC', 'Australia/Lord_Howe']) {
      count.matches = 0;
      const [after, until] = [Date.parse('2025-02-01T00:00:00Z'), Date.parse('2025-12-30T00:00:00Z')];
      expect(firstSlotAfter({ expression: '30 2 1 1 *', timezone }, after, until)).toBeUndefined();
      // about 50 µs each
      expect(count.matches).toBeLessThan(500);
    }
  });

  it('finds every slot around a change of clocks by half an hour, and at midnight', () => {
    // at 02:00 on the first Sunday of October Lord Howe's clocks go to 02:30; at midnight in Beirut's spring to 01:00
    const [after, until] = ['2026-10-03T13:00:00Z', '2026-10-04T13:00:00Z'];
    expect(first('15 2 * * *', 'Australia/Lord_Howe', after, until)).toBeUndefined();
    expect(first('45 2 * * *', 'Australia/Lord_Howe', after, until)).toBe('2026-10-03T15:45:00Z');
    expect(first('59 1 * * *', 'Australia/Lord_Howe', after, until)).toBe('2026-10-03T15:29:00Z');
    expect(first('30 1 29 3 *', 'Asia/Beirut', '2026-03-01T00:00:00Z', '2026-04-30T00:00:00Z')).toBe(
      '2026-03-28T22:30:00Z',
    );
  });
});
