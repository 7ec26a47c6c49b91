/**
 * kill -9 of control in the middle of reads of changes, and of claims of single entries, against a real slapd.
 *
 * The edge answers one client all the while. ROLLCALL_SEED=random tries other delays and other changes.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newPerson } from '../live/house.js';
import { Churn } from '../support/churn.js';
import { eventually } from '../support/eventually.js';
import { staffEnv, staffInSlapd, type Json } from '../support/product-config.js';
import { randomFrom, seed } from '../support/random.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { peopleDn, suffix } from '../support/slapd-config.js';
import { haveSlapd, startSlapd, type Slapd } from '../support/slapd.js';
import { session } from '../support/smtp-client.js';
import { readStore, withStore } from '../support/store.js';

const changesAtATime = 100;
const kills = 6;
const claims = 3;

/** What a kill's random delay counts from: a run begins to read; the store is written; something new is seen in it. */
const moments = ['run', 'commit', 'committed'] as const;
type Moment = (typeof moments)[number];

describe.runIf(haveSlapd)('kill -9 of control', () => {
  let slapd: Slapd;
  let rollcall: Rollcall;
  let edge: RunningProcess;
  const random = randomFrom(seed);
  const churn = new Churn({
    seed,
    suffix,
    base: peopleDn,
    objectClasses: ['inetOrgPerson', 'mailRouting'],
    aliasAttribute: 'mailLocalAddress',
  });
  const wrong: string[] = [];
  let over = false;
  let client: Promise<void>;

  beforeAll(async () => {
    slapd = await startSlapd({ syncprov: true, ldif: churn.units() });
    for (const name of ['stays', 'remains']) await newPerson(slapd, name);
    await slapd.modify(churn.changes(600));
    // what was changed in the newest second of a whole read is read again
    await delay(1_100);
    rollcall = createRollcall(config({ schedule: '*/1 * * * * *' }), staffEnv(slapd));
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ json: { state: 'applied', mode: 'full' } });
    edge = await rollcall.start('edge');
    client = listen(edge.port('smtp'));
  });
  afterAll(async () => {
    over = true;
    await client;
    await rollcall.remove();
    await slapd.remove();
  });

  function config(source: Json): Json {
    const guard = { removals: { percent: 100, floor: 1_000_000 } };
    return staffInSlapd(slapd, { source: { baseDn: peopleDn, fullSchedule: '@yearly', guard, ...source } });
  }

  /** Who stays is accepted, nobody never. */
  async function listen(port: number): Promise<void> {
    while (!over) {
      const asked = ['stays@example.com', 'remains@example.com', 'nobody@example.com'];
      const answers = await session(port, 'somebody@elsewhere.test', asked).catch((error: unknown) => {
        wrong.push(`a session failed: ${String(error)}`);
        return [];
      });
      for (const [i, answer] of answers.entries()) {
        const right = asked[i] === 'nobody@example.com' ? '550 5.1.1' : '250 2.1.5';
        if (!answer.startsWith(right)) wrong.push(`${asked[i] ?? ''}: ${answer}, not ${right}`);
      }
      await delay(50);
    }
  }

  interface Kept {
    readonly hash: string;
    readonly cursor: string;
    readonly addresses: ReadonlySet<string>;
  }

  function kept(): Kept {
    const { hash } = readStore(rollcall.dataDir);
    return withStore(rollcall.dataDir, (db) => ({
      hash,
      cursor: db.prepare<[], string>('SELECT cursor FROM source_state').pluck().get() ?? '',
      addresses: new Set(db.prepare<[], string>('SELECT key FROM claim').pluck().all()),
    }));
  }

  /** Claims of who has left go when all ids are listed; all others are what the directory says. */
  function expectTruth(addresses: ReadonlySet<string>, others: readonly string[], told: string): void {
    const truth = [...churn.addresses(), 'stays@example.com', 'remains@example.com', ...others];
    expect(
      truth.filter((address) => !addresses.has(address)),
      `${told}: missing`,
    ).toEqual([]);
    const known = new Set(truth);
    const more = [...addresses].filter((address) => !known.has(address));
    expect(
      more.filter((address) => !churn.hasLeft(address)),
      `${told}: too many`,
    ).toEqual([]);
  }

  const walSize = (): number =>
    statSync(join(rollcall.dataDir, 'directory.db-wal'), { throwIfNoEntry: false })?.size ?? 0;

  function isReading(): boolean {
    const folder = join(rollcall.dataDir, 'staging');
    return existsSync(folder) && readdirSync(folder).length > 0;
  }

  function emptyWal(): void {
    const db = new Database(join(rollcall.dataDir, 'directory.db'));
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  }

  /** Changes with the cursor, and with every set of claims. */
  const seen = (): string =>
    withStore(
      rollcall.dataDir,
      (db) =>
        db
          .prepare<[], string>(
            "SELECT (SELECT cursor FROM source_state) || ' ' || COUNT(*) || ' ' || MAX(since_run) FROM claim",
          )
          .pluck()
          .get() ?? '',
    );

  /** Waits for the moment, and a random time more; how long that was. */
  async function comes(moment: Moment, bytes: number): Promise<number> {
    const before = seen();
    const soon = { everyMs: 1, withinMs: 20_000 };
    if (moment === 'run') await eventually(isReading, (reading) => reading, soon);
    else if (moment === 'commit') await eventually(walSize, (size) => size > bytes, soon);
    else await eventually(seen, (now) => now !== before, soon);
    const afterMs = random(moment === 'run' ? 20 : 6);
    await delay(afterMs);
    return afterMs;
  }

  it('in reads of changes: claims and cursor go together, and nobody is lost', async () => {
    let before = kept();
    let applied = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await slapd.modify(churn.changes(changesAtATime));
      emptyWal();
      const control = rollcall.spawn(['control']);
      const gone = once(control, 'exit');
      const moment = moments[kill % moments.length] ?? 'run';
      const afterMs = await comes(moment, 60_000);
      expect(control.exitCode, 'control ended by itself').toBeNull();
      control.kill('SIGKILL');
      await gone;

      const now = kept();
      const told = `seed ${seed}, kill ${kill}, ${afterMs} ms after ${moment}`;
      expect(now.cursor !== before.cursor, told).toBe(now.hash !== before.hash);
      if (now.hash !== before.hash) {
        applied += 1;
        expectTruth(now.addresses, [], told);
      }
      before = now;
      expect(wrong.slice(0, 5), told).toEqual([]);
    }
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ json: { mode: 'changes' } });
    expectTruth(kept().addresses, [], 'at last');
    const { interrupted, whole } = withStore(rollcall.dataDir, (db) => ({
      interrupted: db.prepare("SELECT COUNT(*) FROM run WHERE state = 'interrupted'").pluck().get(),
      whole: db.prepare("SELECT COUNT(*) FROM run WHERE mode = 'full' AND state = 'applied'").pluck().get(),
    }));
    console.info(
      `kill -9 in reads of changes, seed ${seed}: ${String(interrupted)} interrupted, ${applied} applied`,
    );
    expect(whole).toBe(1);
    // the moments were well chosen: some in the middle of a run, some after one
    expect(interrupted).toBeGreaterThan(0);
    expect(applied).toBeGreaterThan(0);
  }, 60_000);

  it('in claims of single entries: the cursor stays, and who was found is found again', async () => {
    rollcall.configure(config({}));
    const newcomers: string[] = [];
    let claimed = 0;
    for (let kill = 0; kill < claims; kill += 1) {
      const before = kept();
      const control = await rollcall.start('control');
      emptyWal();
      const name = `new${String(kill)}`;
      await newPerson(slapd, name);
      newcomers.push(`${name}@example.com`);
      // one is new; the others' claims were published at the start, or they are found once more
      const answers = await session(edge.port('smtp'), '', newcomers);
      expect(answers.filter((answer) => !answer.startsWith('250'))).toEqual([]);
      // a claim reads nothing: it is over in a few milliseconds
      await comes(kill % 2 === 0 ? 'commit' : 'committed', 24_000);
      await control.kill();
      const now = kept();
      expect(now.cursor).toBe(before.cursor);
      const more = [...now.addresses].filter((address) => !before.addresses.has(address));
      expect(newcomers).toEqual(expect.arrayContaining(more));
      claimed += more.length;
    }
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ json: { mode: 'changes' } });
    expectTruth(kept().addresses, newcomers, 'at last');
    await eventually(
      () => session(edge.port('smtp'), '', newcomers),
      (answers) => answers.every((answer) => answer.startsWith('250')),
    );
    expect(claimed).toBeGreaterThan(0);
    console.info(`kill -9 in claims, seed ${seed}: ${claimed} of ${claims} committed`);
    expect(wrong).toEqual([]);
  }, 60_000);
});
