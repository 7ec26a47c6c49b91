/** Control: what a crash in the middle of a run leaves, what a start makes good, and what a reload brings. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { RunningProcess } from '../support/rollcall.js';
import { readStore, withStore } from '../support/store.js';
import { createCsvHouse, openGuard, type CsvHouse, type HouseOptions } from './csv-house.js';
import { askOnce, connectPolicy } from './policy-client.js';

const houses: CsvHouse[] = [];
function house(options?: HouseOptions): CsvHouse {
  const created = createCsvHouse(options);
  houses.push(created);
  return created;
}
afterEach(async () => {
  for (const each of houses.splice(0)) await each.remove();
});

function runs(dataDir: string): { run: number; state: string; kind: string }[] {
  return withStore(dataDir, (db) => db.prepare('SELECT run, state, kind FROM run ORDER BY run').all()) as {
    run: number;
    state: string;
    kind: string;
  }[];
}

const ended = (dataDir: string, count: number): Promise<unknown> =>
  eventually(
    () => runs(dataDir),
    (all) => all.filter(({ state }) => state !== 'running').length >= count,
  );

describe('control killed in the middle of a run', () => {
  const rows = 20_000;

  it('leaves the generation before or after, marks the run, and the edge never refuses anybody wrongly', async () => {
    const csv = house({ source: { guard: openGuard }, domain: { removed: { deferFor: '1h' } } });
    csv.writeList(rows, (index) => index % 2 === 0);
    expect((await csv.cli(['sync', 'people'])).status).toBe(0);
    csv.writeList(rows);
    const edge = await csv.start('edge');
    const client = await connectPolicy(edge.port('policy'));
    let index = 0;
    const wrong: string[] = [];
    const asking = new AbortController();
    const asked = (async () => {
      for (; !asking.signal.aborted; index = (index + 38) % rows) {
        const answer = await client.ask(`p${index}@example.com`);
        if (answer !== 'DUNNO') wrong.push(answer);
        // hundreds a second; more would only take the processor from the run that is to be killed
        await delay(2);
      }
    })();

    const before = readStore(csv.dataDir);
    expect(before.claims).toBe(rows / 2);
    const generations = new Set<number>();
    for (const delayMs of [0, 60, 150, 300]) {
      await killedDuringSync(csv, delayMs);
      const { generation, claims } = readStore(csv.dataDir);
      generations.add(generation);
      expect([before.generation, before.generation + 1]).toContain(generation);
      expect(claims).toBe(generation === before.generation ? rows / 2 : rows);
    }
    const control = await csv.start('control');
    await eventually(
      () => askOnce(edge.port('policy'), `p${rows - 1}@example.com`),
      (answer) => answer === 'DUNNO',
    );
    const states = runs(csv.dataDir).map(({ state }) => state);
    expect(states.filter((state) => state === 'interrupted').length).toBeGreaterThan(0);
    await eventually(
      () => runs(csv.dataDir),
      (all) => all.every(({ state }) => state !== 'running'),
    );
    asking.abort();
    await asked;
    client.close();
    expect(wrong).toEqual([]);
    await control.stop();
  }, 90_000);

  /** A CLI sync holds the same lease as control's; here control itself runs it, told by its catch-up or its schedule. */
  async function killedDuringSync(csv: CsvHouse, delayMs: number): Promise<void> {
    csv.reconfigure({
      source: { guard: openGuard, schedule: '* * * * * *' },
      domain: { removed: { deferFor: '1h' } },
    });
    const newest = (): number => runs(csv.dataDir).at(-1)?.run ?? 0;
    const last = newest();
    const control = await csv.start('control');
    await eventually(newest, (run) => run > last, { everyMs: 2 });
    await delay(delayMs);
    await control.kill();
  }
});

describe('start of control', () => {
  it('syncs a source that was never read, and not again when nothing was missed', async () => {
    const csv = house();
    let control = await csv.start('control');
    await ended(csv.dataDir, 1);
    await control.stop();
    control = await csv.start('control');
    await eventually(
      () => control.log(),
      (log) => log.includes('recipient list open'),
    );
    await control.stop();
    expect(runs(csv.dataDir)).toEqual([{ run: 1, state: 'applied', kind: 'sync' }]);
  });

  it('makes a missed slot good by one run', async () => {
    const csv = house({ source: { schedule: '0 0 1 1 *' } });
    expect((await csv.cli(['sync', 'people'])).status).toBe(0);
    const control = await csv.start('control');
    expect(runs(csv.dataDir)).toHaveLength(1);
    await control.stop();
    moveBack(csv.dataDir, 400 * 86_400_000);
    const late = await csv.start('control');
    await ended(csv.dataDir, 2);
    expect(late.log()).toMatch(/"why":"missed \d{4}-01-01T00:00:00.000Z"/);
    await late.stop();
    const again = await csv.start('control');
    await again.stop();
    expect(runs(csv.dataDir)).toHaveLength(2);
  });

  it('runs a source by its schedule', async () => {
    const csv = house({ source: { schedule: '* * * * * *' } });
    const control = await csv.start('control');
    await ended(csv.dataDir, 3);
    await control.stop();
    expect(runs(csv.dataDir).slice(0, 3)).toMatchObject([
      { state: 'applied' },
      { state: 'unchanged' },
      { state: 'unchanged' },
    ]);
  });

  it('does not take a CSV source without a path for one that was missed', async () => {
    const csv = house({ source: { path: undefined } });
    const control = await csv.start('control');
    await control.stop();
    expect(runs(csv.dataDir)).toEqual([]);
    expect(control.log()).not.toContain('"level":"error"');
  });
});

describe('reload of control', () => {
  it('syncs for a domain that was added, and keeps the old configuration when the new one is bad', async () => {
    const csv = house();
    writeFileSync(join(csv.folder, 'people.csv'), 'email\na@example.com\nb@example.net\n');
    const control = await csv.start('control');
    await ended(csv.dataDir, 1);
    writeFileSync(csv.configFile, '{');
    process.kill(control.pid, 'SIGHUP');
    await eventually(
      () => control.log(),
      (log) => log.includes('new configuration refused: the old one stays in force'),
    );
    csv.reconfigure({
      rest: {
        domains: Object.fromEntries(
          ['example.com', 'example.net'].map((name) => [name, { mode: 'enforce', sources: ['people'] }]),
        ),
      },
    });
    process.kill(control.pid, 'SIGHUP');
    await ended(csv.dataDir, 2);
    expect(control.log()).toContain('domain example.net changed');
    await control.stop();
    expect(readStore(csv.dataDir).claims).toBe(2);
  });

  it('takes over a new schedule', async () => {
    const csv = house();
    const control = await csv.start('control');
    await ended(csv.dataDir, 1);
    csv.reconfigure({ source: { schedule: '* * * * * *' } });
    process.kill(control.pid, 'SIGHUP');
    await ended(csv.dataDir, 3);
    await control.stop();
  });
});

describe('a run that a person must look at', () => {
  it('is told loudly: held removals with the command that approves them, failures with their reason', async () => {
    const csv = house();
    csv.writeList(100);
    expect((await csv.cli(['sync', 'people'])).status).toBe(0);
    csv.writeList(50);
    csv.reconfigure({ source: { schedule: '* * * * * *' } });
    const control = await csv.start('control');
    const held = await eventually(
      () => lineWith(control, 'run held for approval'),
      (line) => line !== undefined,
    );
    expect(held).toMatchObject({ level: 'warn', source: 'people', held: 50 });
    expect(held?.['approve']).toMatch(/^rollcall show \d+; rollcall approve \d+ --hash [0-9a-f]{16}$/);
    writeFileSync(join(csv.folder, 'people.csv'), '');
    const failed = await eventually(
      () => lineWith(control, 'the list stays as it was'),
      (line) => line !== undefined,
    );
    expect(failed).toMatchObject({ level: 'error', source: 'people' });
    await control.stop();
  });
});

function lineWith(process: RunningProcess, text: string): Record<string, unknown> | undefined {
  const line = process
    .log()
    .split('\n')
    .find((each) => each.includes(text));
  return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
}

/** As if everything had happened that much earlier. */
function moveBack(dataDir: string, ms: number): void {
  const db = new Database(join(dataDir, 'directory.db'), { fileMustExist: true });
  db.prepare('UPDATE run SET started_at = started_at - ?, ended_at = ended_at - ?').run(ms, ms);
  db.close();
}
