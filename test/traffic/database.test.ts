import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrafficEvent } from '../../src/traffic/event.js';
import { openTrafficReader } from '../../src/traffic/reader.js';
import { directSink, threadSink } from '../../src/traffic/sink.js';
import { createTraffic, type Traffic, type TrafficSink } from '../../src/traffic/traffic.js';
import { acceptedEvent, rejectedEvent } from './events.js';

let folder = '';
let path = '';
const open: Traffic[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-'));
  path = join(folder, 'traffic.db');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((traffic) => traffic.close()));
  rmSync(folder, { recursive: true, force: true });
});

function start(sink: TrafficSink): Traffic {
  const traffic = createTraffic({ sink, flushIntervalMs: 1_000_000 });
  open.push(traffic);
  return traffic;
}

async function write(traffic: Traffic, ...events: TrafficEvent[]): Promise<void> {
  for (const event of events) traffic.record(event);
  await traffic.flush();
}

const worker = new URL('../../dist/traffic/worker.js', import.meta.url);
const sinks = [
  { name: 'direct sink', make: () => directSink({ path }), needs: undefined },
  // The thread runs the built file; `npm test` builds first.
  { name: 'thread sink', make: () => threadSink({ path }), needs: worker },
];

for (const sink of sinks)
  describe(sink.name, () => {
    beforeAll(() => {
      if (sink.needs === undefined || existsSync(sink.needs)) return;
      throw new Error(`${sink.needs.pathname} is missing: run \`npm run build\` before these tests`);
    });

    it('adds up over flushes and restarts what the reader then finds', async () => {
      await write(start(sink.make()), acceptedEvent(), rejectedEvent());
      await open.pop()?.close();
      const traffic = start(sink.make());
      await write(traffic, acceptedEvent({ at: 500 }), acceptedEvent({ tenant: 'other', at: 9000 }));
      const reader = openTrafficReader(path);
      expect(reader.counts({ tenant: 'default' })).toEqual([
        {
          tenant: 'default',
          domain: 'example.com',
          reason: 'known',
          action: 'accept',
          edge: 'smtp',
          hour: 0,
          count: 2,
        },
        {
          tenant: 'default',
          domain: 'example.com',
          reason: 'unknown',
          action: 'reject',
          edge: 'smtp',
          hour: 0,
          count: 1,
        },
      ]);
      expect(reader.lastAccepted('default', 'anna@example.com')).toBe(1000);
      expect(reader.lastAccepted('other', 'anna@example.com')).toBe(9000);
      expect(reader.lastAccepted('none', 'anna@example.com')).toBeUndefined();
      expect(reader.byReference('K3QX7A')).toEqual({
        reference: 'K3QX7A',
        at: 1000,
        tenant: 'default',
        domain: 'example.com',
        edge: 'smtp',
        address: 'nobody@example.com',
        sender: 'sender@client.example',
        client: '192.0.2.7',
        reason: 'unknown',
        code: 550,
        status: '5.1.1',
        observed: false,
      });
      expect(traffic.dropped()).toBe(0);
      reader.close();
    });

    it('moves a file that is no database aside and begins anew', async () => {
      writeFileSync(path, 'this is not a database, it is a poem about one, long enough to be read');
      const traffic = start(sink.make());
      await write(traffic, rejectedEvent());
      expect(traffic.dropped()).toBe(0);
      expect(openTrafficReader(path).rejections()).toHaveLength(1);
      expect(readdirSync(folder).filter((name) => name.startsWith('traffic.db.damaged-'))).toHaveLength(1);
    });

    it('loses batches, not the edge, where it cannot write', async () => {
      rmSync(folder, { recursive: true });
      const traffic = start(sink.make());
      await write(traffic, rejectedEvent());
      expect(traffic.dropped()).toBe(1);
      mkdirSync(folder);
      await write(traffic, rejectedEvent());
      expect(traffic.dropped()).toBe(1);
      expect(openTrafficReader(path).rejections()).toHaveLength(1);
    });
  });

describe('database', () => {
  it('keeps the newest rejections of the ring', async () => {
    const traffic = start(directSink({ path, maxRejections: 3 }));
    for (let at = 1; at <= 5; at += 1) await write(traffic, rejectedEvent({ at, reference: `R${at}` }));
    const kept = openTrafficReader(path).rejections();
    expect(kept.map((row) => row.reference)).toEqual(['R5', 'R4', 'R3']);
  });

  it('lets old counts go', async () => {
    const traffic = start(directSink({ path, keepCountsMs: 10 * 3_600_000 }));
    await write(traffic, rejectedEvent({ at: 0 }));
    await write(traffic, rejectedEvent({ at: 20 * 3_600_000 }));
    expect(
      openTrafficReader(path)
        .counts()
        .map((row) => row.hour),
    ).toEqual([20]);
  });

  it('moves aside a file of another version, and tables damaged under it', async () => {
    const other = new Database(path);
    other.pragma('user_version = 99');
    other.close();
    let at = 0;
    const traffic = start(directSink({ path, now: () => (at += 1) }));
    await write(traffic, rejectedEvent());
    expect(existsSync(`${path}.damaged-1`)).toBe(true);
    const saboteur = new Database(path);
    saboteur.exec('DROP TABLE rejection');
    saboteur.close();
    await write(traffic, rejectedEvent());
    expect(traffic.dropped()).toBe(0);
    expect(existsSync(`${path}.damaged-2`)).toBe(true);
    expect(openTrafficReader(path).rejections()).toHaveLength(1);
  });

  it('begins anew when the file is deleted under it', async () => {
    const traffic = start(directSink({ path }));
    await write(traffic, rejectedEvent());
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    await write(traffic, rejectedEvent());
    expect(openTrafficReader(path).rejections()).toHaveLength(1);
  });
});

describe('reader', () => {
  it('has nothing to tell of a missing or broken file, and finds the next one', async () => {
    const reader = openTrafficReader(path);
    expect(reader.counts()).toEqual([]);
    expect(reader.byReference('X')).toBeUndefined();
    writeFileSync(path, 'no database at all, and long enough for the header of one to be read');
    expect(reader.rejections()).toEqual([]);
    await write(start(directSink({ path })), rejectedEvent());
    expect(reader.rejections()).toHaveLength(1);
    reader.close();
  });

  it('filters', async () => {
    const events = [
      rejectedEvent({ at: 1, address: 'One@example.com' }),
      rejectedEvent({ at: 2, domain: 'second.example', address: 'two@second.example' }),
      rejectedEvent({ at: 3, tenant: 'other', address: 'three@example.com' }),
    ];
    await write(start(directSink({ path })), ...events);
    const reader = openTrafficReader(path);
    const times = (filter: Parameters<typeof reader.rejections>[0]): number[] =>
      reader.rejections(filter).map((row) => row.at);
    expect(times({})).toEqual([3, 2, 1]);
    expect(times({ tenant: 'default' })).toEqual([2, 1]);
    expect(times({ domain: 'second.example' })).toEqual([2]);
    expect(times({ address: 'one@example.com' })).toEqual([1]);
    expect(times({ since: 2, limit: 1 })).toEqual([3]);
    expect(reader.counts({ domain: 'second.example' })).toHaveLength(1);
    expect(reader.counts({ since: 3_600_000 })).toEqual([]);
    reader.close();
  });
});
