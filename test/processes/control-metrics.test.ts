import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createControlMetrics } from '../../src/compose/control-metrics.js';
import type { CountRow } from '../../src/traffic/event.js';
import type { TrafficReader } from '../../src/traffic/reader.js';
import { person } from '../support/array-source.js';
import { House, hour } from '../support/house.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => house.close());

function trafficOf(counts: () => readonly CountRow[]): TrafficReader {
  return {
    counts: ({ since = 0 } = {}) => counts().filter((row) => row.hour >= Math.floor(since / hour)),
    lastAccepted: () => undefined,
    rejections: () => [],
    byReference: () => undefined,
    close: () => undefined,
  };
}

function samples(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('rollcall_'));
}

describe('metrics of control', () => {
  it('tell the generations, the age of each list, the runs and what is held', async () => {
    const metrics = createControlMetrics({
      directoryFile: house.directoryFile,
      lookupGeneration: () => 1,
      traffic: trafficOf(() => []),
      now: () => house.now,
    });
    const all = Array.from({ length: 40 }, (_, index) => person(`o${index}`, [`p${index}@example.com`]));
    await house.sync({ entries: all });
    await house.sync({ entries: all.slice(20) });
    house.now += hour;
    expect(samples(await metrics())).toEqual([
      'rollcall_generation 1',
      'rollcall_lookup_generation 1',
      'rollcall_source_age_seconds{tenant="default",source="staff"} 3600',
      'rollcall_runs{tenant="default",source="staff",state="applied"} 1',
      expect.stringMatching(/rollcall_runs\{tenant="default",source="staff",state="(partly-)?held"\} 1/),
      'rollcall_held_runs{tenant="default",source="staff"} 1',
    ]);
  });

  it('count answers upwards only, though old hours are dropped', async () => {
    const row = (hourNumber: number, count: number): CountRow => ({
      tenant: 'default',
      domain: 'example.com',
      edge: 'policy',
      action: 'reject',
      reason: 'unknown',
      hour: hourNumber,
      count,
    });
    const now = Math.floor(house.now / hour);
    let rows = [row(now, 5)];
    const metrics = createControlMetrics({
      directoryFile: house.directoryFile,
      lookupGeneration: () => undefined,
      traffic: trafficOf(() => rows),
      now: () => house.now,
    });
    const verdicts = async (): Promise<string | undefined> =>
      samples(await metrics()).find((line) => line.startsWith('rollcall_verdicts_total'));
    expect(await verdicts()).toBeUndefined();
    rows = [row(now, 9)];
    expect(await verdicts()).toMatch(/ 4$/);
    house.now += hour;
    rows = [row(now, 10), row(now + 1, 3)];
    expect(await verdicts()).toMatch(/ 8$/);
    house.now += 5 * hour;
    rows = [row(now + 6, 2)];
    expect(await verdicts()).toMatch(/ 10$/);
  });

  it('leave out what cannot be read', async () => {
    const metrics = createControlMetrics({
      directoryFile: `${house.folder}/nowhere.db`,
      lookupGeneration: () => undefined,
      traffic: trafficOf(() => []),
    });
    const text = await metrics();
    expect(samples(text)).toEqual([]);
    expect(text).toContain('# HELP rollcall_generation ');
  });
});
