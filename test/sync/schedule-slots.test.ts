import { describe, expect, it } from 'vitest';
import { firstSlotAfter } from '../../src/sync/schedule-slots.js';

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
});
