/**
 * kill -9 of control, thirty times, at random moments of the sync of a list with 100,000 entries.
 *
 * The edge answers one client all the while. ROLLCALL_SEED=random tries other delays.
 */
import { once } from 'node:events';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { randomFrom, seed } from '../support/random.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { session } from '../support/smtp-client.js';
import { readStore, withStore, type StoreState } from '../support/store.js';

const entries = 100_000;
const moving = 1_000;
const kills = 30;

/**
 * What a kill's random delay counts from: the start of the process; the first large write to the snapshot of the
 * edges, be it by the run or in making good the last kill; the first one to the store, which is the moment of the commit.
 */
const moments = ['any', 'lookup.db', 'directory.db'] as const;

/** List 0 names p0 to p99999, list 1 names p1000 to p100999. */
const firstOf = (list: number): number => list * moving;
const address = (n: number): string => `p${n}@example.com`;
const range = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => address(from + i));
const leaving = range(0, 10);
const joining = range(entries, 10);
const staying = [...range(moving, 10), ...range(entries - 10, 10)];
const unknown = Array.from({ length: 5 }, (_, i) => `nobody${i}@example.com`);

/** What one client hears from the edge, for as long as it lasts. */
class Client {
  sessions = 0;
  longestMs = 0;
  readonly wrong: string[] = [];
  readonly #known = new Set([...staying, ...leaving]);
  #over = false;

  async run(port: number): Promise<void> {
    const asked = [...staying, ...leaving, ...joining, ...unknown];
    while (!this.#over) {
      const begun = Date.now();
      const answers = await session(port, 'somebody@elsewhere.test', asked).catch((error: unknown) => {
        this.wrong.push(`a session failed: ${String(error)}`);
        return [];
      });
      this.longestMs = Math.max(this.longestMs, Date.now() - begun);
      this.sessions += 1;
      for (const [i, answer] of answers.entries()) this.#judge(asked[i] ?? '', answer.slice(0, 9));
      await delay(100);
    }
  }

  stop(): void {
    this.#over = true;
  }

  /** Whoever stays is accepted. Whoever was known once is never unknown again within `deferFor`. Nobody is never accepted. */
  #judge(who: string, answer: string): void {
    const allowed = staying.includes(who)
      ? ['250 2.1.5']
      : unknown.includes(who)
        ? ['550 5.1.1']
        : this.#known.has(who)
          ? ['250 2.1.5', '450 4.2.1']
          : ['250 2.1.5', '550 5.1.1'];
    if (answer === '250 2.1.5') this.#known.add(who);
    if (!allowed.includes(answer)) this.wrong.push(`${who}: ${answer}, allowed ${allowed.join(' or ')}`);
  }
}

describe('kill -9 of control', () => {
  let rollcall: Rollcall;
  let edge: RunningProcess;
  const defer = deferred();

  beforeAll(() => {
    rollcall = createRollcall({
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: { kind: 'csv', path: 'list.csv', schedule: '*/1 * * * * *', jitter: '0s' } },
      edges: { smtp: { listen: '127.0.0.1:0' } },
    });
    defer(() => rollcall.remove());
  });

  const texts = [0, 1].map((list) => `email\n${range(firstOf(list), entries).join('\n')}\n`);

  function putList(list: number): void {
    const path = join(rollcall.folder, 'list.csv');
    writeFileSync(`${path}.new`, texts[list] ?? '');
    renameSync(`${path}.new`, path);
  }

  /** Applies a list in peace; the state it gives, and how long it took from the start of the process. */
  async function syncInPeace(list: number): Promise<{ state: StoreState; tookMs: number }> {
    putList(list);
    const begun = Date.now();
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ status: 0, json: { state: 'applied' } });
    return { state: readStore(rollcall.dataDir), tookMs: Date.now() - begun };
  }

  /** Empties the write-ahead log of that database, so that its growth can be seen. */
  function emptyWal(file: string): void {
    const db = new Database(join(rollcall.dataDir, file));
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  }

  /** Waits until the log grows by more than the few pages with which a run begins, and coverage is published. */
  async function written(file: string): Promise<void> {
    const wal = join(rollcall.dataDir, `${file}-wal`);
    await eventually(
      () => statSync(wal, { throwIfNoEntry: false })?.size ?? 0,
      (size) => size > 60_000,
      { everyMs: 1, withinMs: 30_000 },
    );
  }

  it('leaves the store at the generation before or after, and the edge answering right', async () => {
    const random = randomFrom(seed);
    const first = await syncInPeace(0);
    edge = await rollcall.start('edge');
    const client = new Client();
    const listening = client.run(edge.port('smtp'));
    const second = await syncInPeace(1);
    const third = await syncInPeace(0);
    const hashes = [first.state.hash, second.state.hash];
    expect(third.state.hash).toBe(hashes[0]);
    // control takes longer to start than one command does
    const longestMs = Math.max(second.tookMs, third.tookMs) * 1.2;

    let now = third.state;
    let applied = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const at = hashes.indexOf(now.hash);
      putList(1 - at);
      const moment = moments[kill % moments.length] ?? 'any';
      if (moment !== 'any') emptyWal(moment);
      const control = rollcall.spawn(['control']);
      const gone = once(control, 'exit');
      const afterMs = random(moment === 'any' ? Math.ceil(longestMs) : 25);
      if (moment !== 'any') await written(moment);
      await delay(afterMs);
      expect(control.exitCode, 'control ended by itself').toBeNull();
      control.kill('SIGKILL');
      await gone;

      const found = readStore(rollcall.dataDir);
      const went = found.generation - now.generation;
      const told = `seed ${seed}, kill ${kill}, ${afterMs} ms after ${moment}`;
      expect([0, 1], told).toContain(went);
      expect(found.hash, told).toBe(hashes[went === 0 ? at : 1 - at]);
      expect(found.claims, told).toBe(entries);
      applied += went;
      now = found;
      expect(client.wrong.slice(0, 5), told).toEqual([]);
    }
    expect(edge.isRunning()).toBe(true);

    // and the next start brings everything up to date
    const last = 1 - hashes.indexOf(now.hash);
    putList(last);
    const control = await rollcall.start('control');
    await eventually(
      () => readStore(rollcall.dataDir).hash,
      (hash) => hash === hashes[last],
      { everyMs: 500, withinMs: 30_000 },
    );
    await eventually(
      async () => session(edge.port('smtp'), '', last === 0 ? leaving : joining),
      (answers) => answers.every((answer) => answer.startsWith('250')),
    );
    await control.stop();
    client.stop();
    await listening;

    const interrupted = withStore(rollcall.dataDir, (db) =>
      db.prepare<[], number>("SELECT COUNT(*) FROM run WHERE state = 'interrupted'").pluck().get(),
    );
    const sound = withStore(rollcall.dataDir, (db) => db.pragma('integrity_check', { simple: true }));
    expect(sound).toBe('ok');
    console.info(
      `kill -9 of control, seed ${seed}: ${kills} kills, ${interrupted ?? 0} runs interrupted, ${applied} applied; ` +
        `${client.sessions} sessions meanwhile, the longest ${client.longestMs} ms`,
    );
    expect(client.wrong).toEqual([]);
    // the moments were well chosen: some in the middle of a run, some after one
    expect(interrupted).toBeGreaterThan(0);
    expect(applied).toBeGreaterThan(0);
    expect(client.longestMs).toBeLessThan(10_000);
  }, 480_000);
});
