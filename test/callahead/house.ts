/** An asker before a fake server, with a clock that the test moves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsker, type Asker, type AskerOptions } from '../../src/callahead/asker.js';
import { cachePath, openCache, type Cache, type CacheOptions } from '../../src/callahead/cache.js';
import type { Finding } from '../../src/callahead/finding.js';
import { createLogger } from '../../src/telemetry/log.js';
import { startFakeServer, type FakeServer, type Script } from './fake-server.js';

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

export const silentLog = createLogger({ level: 'fatal', format: 'json' });

export interface AskHouse {
  readonly server: FakeServer;
  readonly folder: string;
  asker: Asker;
  cache: Cache;
  /** Of the cache; the waits are real. */
  clock: { now: number };
  readonly ask: (address: string) => Finding | Promise<Finding>;
  /** As after a restart. */
  readonly reopen: (options?: Partial<AskerOptions>) => void;
}

const open = new Set<() => Promise<void>>();

/** For afterEach. */
export async function closeHouses(): Promise<void> {
  for (const close of open) await close();
  open.clear();
}

export function openTestCache(folder: string, options: Partial<CacheOptions> = {}): Cache {
  return openCache({ path: cachePath(folder), write: true, now: Date.now, log: silentLog, ...options });
}

export async function createAskHouse(script: Script, options: Partial<AskerOptions> = {}): Promise<AskHouse> {
  const server = await startFakeServer(script);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-ask-'));
  const clock = { now: Date.UTC(2026, 0, 1) };
  const now = (): number => clock.now;
  const make = (cache: Cache, more: Partial<AskerOptions>): Asker =>
    createAsker({
      name: 'server',
      hosts: [{ host: '127.0.0.1', port: server.port }],
      timeoutMs: 2000,
      positive: { refreshMs: 7 * day, expireMs: 31 * day },
      negative: { refreshMs: 3 * hour },
      whenBlind: 'accept',
      blindCheckMs: hour,
      maxConcurrent: 4,
      maxPerSecond: 1000,
      sender: '',
      hello: 'edge.test',
      tls: 'opportunistic',
      keptIdleMs: 0,
      cache,
      now,
      log: silentLog,
      ...more,
    });
  const cache = openTestCache(folder, { now });
  const house: AskHouse = {
    server,
    folder,
    clock,
    cache,
    asker: make(cache, options),
    ask: (address) => house.asker.ask({ address, domain: address.slice(address.lastIndexOf('@') + 1) }),
    reopen(more = {}) {
      house.asker.close();
      house.cache.close();
      house.cache = openTestCache(folder, { now });
      house.asker = make(house.cache, { ...options, ...more });
    },
  };
  open.add(async () => {
    house.asker.close();
    house.cache.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return house;
}
