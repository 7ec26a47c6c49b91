/** The file itself: replaced whole, with its mode and owner, and with a hook that is bounded. */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  lstatSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDue } from '../../src/export/aftermath.js';
import { people } from '../support/array-source.js';
import { eventually } from '../support/eventually.js';
import { House, noLimits } from '../support/house.js';
import { exportFrom, fileOf } from './export-room.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => house.close());

const fill = (n: number, from = 0) =>
  house.sync({ entries: people(n, 'example.com', from) }, { limits: noLimits });

describe('replacing', () => {
  it('never shows a reader a part of a file', async () => {
    await fill(2000);
    await exportFrom(house, { format: 'texthash' });
    // reads as fast as it can, in a thread of its own, and counts what it saw
    const reader = new Worker(
      `const { readFileSync } = require('node:fs'); const { workerData, parentPort } = require('node:worker_threads');
       const sizes = {}; let stop = false; parentPort.on('message', () => { stop = true; });
       const look = () => { const n = readFileSync(workerData, 'latin1').split('\\n').filter((l) => /^p\\d+@/.test(l)).length;
         sizes[n] = (sizes[n] ?? 0) + 1; if (stop) { parentPort.postMessage(sizes); parentPort.close(); } else setImmediate(look); };
       look();`,
      { eval: true, workerData: fileOf(house) },
    );
    for (let n = 2001; n <= 2010; n += 1) {
      await fill(n);
      expect(await exportFrom(house, { format: 'texthash' })).toMatchObject({ state: 'written' });
    }
    const sizes = await new Promise<Record<string, number>>((resolve) => {
      reader.on('message', resolve);
      reader.postMessage('stop');
    });
    const seen = Object.keys(sizes).map(Number);
    expect(
      seen.every((n) => n >= 2000 && n <= 2010),
      JSON.stringify(sizes),
    ).toBe(true);
  }, 30_000);

  it('keeps mode and owner, and follows a link', async () => {
    await fill(20);
    const real = join(house.folder, 'real');
    writeFileSync(real, '');
    chmodSync(real, 0o604);
    if (process.getuid?.() === 0) chownSync(real, 12_345, 23_456);
    symlinkSync(real, fileOf(house));
    const { uid, gid } = statSync(real);
    await exportFrom(house);
    expect(lstatSync(fileOf(house)).isSymbolicLink()).toBe(true);
    expect(statSync(real)).toMatchObject({ uid, gid });
    expect(statSync(real).mode & 0o777).toBe(0o604);
    expect(statSync(real).size).toBeGreaterThan(100);
  });

  it('makes a new file with the mode, owner and group it is told, and its .cf too', async () => {
    await fill(20);
    const isRoot = process.getuid?.() === 0;
    const own = isRoot ? { owner: 12_345, group: 'daemon' } : {};
    const cf = `${fileOf(house)}.cf`;
    await exportFrom(house, { format: 'sqlite', mode: 0o644, ...own });
    for (const file of [fileOf(house), cf]) {
      expect(statSync(file).mode & 0o7777).toBe(0o644);
      if (isRoot) expect(statSync(file)).toMatchObject({ uid: 12_345, gid: 1 });
    }
    await exportFrom(house, { format: 'sqlite', mode: 0o600, force: true });
    for (const file of [fileOf(house), cf]) expect(statSync(file).mode & 0o7777).toBe(0o644);
  });

  it('writes nothing for an owner that is none', async () => {
    await fill(20);
    const report = await exportFrom(house, { group: 'no-such-group' });
    expect(report).toMatchObject({
      state: 'failed',
      reasons: ['there is no group "no-such-group" on this machine'],
    });
    expect(existsSync(fileOf(house))).toBe(false);
  });

  it('is not written again while nothing changes', async () => {
    await fill(20);
    await exportFrom(house);
    const { ino } = statSync(fileOf(house));
    house.now += 60_000;
    await fill(20);
    expect(await exportFrom(house)).toMatchObject({ state: 'unchanged' });
    expect(statSync(fileOf(house)).ino).toBe(ino);
  });

  it.each(['texthash', 'plain', 'sqlite'] as const)(
    'is, when somebody else has changed it (%s)',
    async (format) => {
      await fill(2000);
      await exportFrom(house, { format });
      expect(await exportFrom(house, { format })).toMatchObject({ state: 'unchanged' });
      const whole = readFileSync(fileOf(house));
      const at = whole.lastIndexOf('p1500@example.com');
      const changed = [Buffer.from(whole).fill('X', at, at + 1), Buffer.from(whole).fill(0, at - 2000, at)];
      // what is left of a text is a text
      if (format !== 'sqlite')
        changed.push(whole.subarray(0, at), Buffer.concat([whole, Buffer.from('eve\n')]));
      for (const bytes of changed) {
        writeFileSync(fileOf(house), bytes);
        expect(await exportFrom(house, { format })).toMatchObject({ state: 'written' });
        expect(await exportFrom(house, { format })).toMatchObject({ state: 'unchanged' });
      }
    },
  );

  it('is by force, whatever is in place', async () => {
    await fill(20);
    await exportFrom(house);
    const { ino } = statSync(fileOf(house));
    expect(await exportFrom(house, { force: true })).toMatchObject({ state: 'written' });
    expect(statSync(fileOf(house)).ino).not.toBe(ino);
  });

  it('says in a comment what it is: generation, time, domains', async () => {
    await fill(20);
    await exportFrom(house);
    const [first, second, third] = readFileSync(fileOf(house), 'utf8').split('\n');
    expect(first).toBe(
      '# rollcall-export 1 edge plain generation=0000000001 at=2026-01-01T00:00:00.000Z addresses=0000000020',
    );
    expect(second).toMatch(/^# sha256 [0-9a-f]{64}$/);
    expect(third).toBe('# domain example.com 0000000020');
  });

  it('fails in words when the folder is not there, and hinders nothing', async () => {
    await fill(20);
    const report = await exportFrom(house, { path: join(house.folder, 'nowhere/file') });
    expect(report.state).toBe('failed');
    expect(report.reasons.join()).toContain('nowhere');
  });
});

describe('the hook', () => {
  const hook = (script: string, timeoutMs = 20_000) => ({
    command: ['sh', '-c', script] as [string, ...string[]],
    timeoutMs,
  });

  it('runs after a change, with what it is about and no secrets', async () => {
    await fill(20);
    process.env['ROLLCALL_TEST_SECRET'] = 'hunter2';
    const { hook: first } = await exportFrom(house, { hook: hook('env; echo done >&2') });
    expect(first).toMatchObject({ ok: true, ended: 'exit status 0' });
    expect(first?.output).toContain(`ROLLCALL_FILE=${fileOf(house)}`);
    expect(first?.output).toContain('done');
    expect(first?.output).not.toContain('hunter2');
    const again = await exportFrom(house, { hook: hook('env; echo done >&2') });
    expect(again).toMatchObject({ state: 'unchanged', hook: null });
  });

  it('that fails is told, and runs again until it succeeds', async () => {
    await fill(20);
    const flag = join(house.folder, 'mended');
    const mine = { hook: hook(`test -e ${flag} || { echo not yet; exit 3; }`) };
    expect(await exportFrom(house, mine)).toMatchObject({
      state: 'written',
      hook: { ok: false, ended: 'exit status 3', output: 'not yet' },
    });
    expect(await exportFrom(house, mine)).toMatchObject({ state: 'unchanged', hook: { ok: false } });
    writeFileSync(flag, '');
    expect(await exportFrom(house, mine)).toMatchObject({ state: 'unchanged', hook: { ok: true } });
    expect(await exportFrom(house, mine)).toMatchObject({ hook: null });
  });

  it('that hangs is ended with what it began', async () => {
    await fill(20);
    const pidFile = join(house.folder, 'pid');
    const { hook: result } = await exportFrom(house, {
      hook: hook(`sleep 1000 & echo $! > ${pidFile}; wait`, 300),
    });
    expect(result).toMatchObject({ ok: false, ended: 'killed after 0.3 s' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    await eventually(
      () => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
      (alive) => !alive,
    );
  });

  it('that leaves somebody behind with its output has ended, and well', async () => {
    await fill(20);
    const began = performance.now();
    const pidFile = join(house.folder, 'pid');
    const { hook: result } = await exportFrom(house, {
      hook: hook(`sleep 30 & echo $! > ${pidFile}; echo said`, 10_000),
    });
    process.kill(Number(readFileSync(pidFile, 'utf8')));
    expect(result).toMatchObject({ ok: true, ended: 'exit status 0', output: 'said' });
    expect(performance.now() - began).toBeLessThan(8000);
  });

  it('that is no program is told', async () => {
    await fill(20);
    const report = await exportFrom(house, { hook: { command: ['/no/such/program'], timeoutMs: 1000 } });
    expect(report).toMatchObject({ state: 'written', hook: { ok: false } });
    expect(report.hook?.ended).toContain('ENOENT');
  });
});

describe('whether there is anything to do', () => {
  it('is asked cheaply: no while nothing changed, yes in doubt', async () => {
    await fill(20);
    const options = {
      name: 'edge',
      format: 'plain',
      path: fileOf(house),
      tenant: 'default',
      maxShrinkPercent: 50,
    } as const;
    const due = (generation: number) => isDue(options, join(house.folder, 'exports'), generation, house.now);
    expect(due(1)).toBe(true);
    await exportFrom(house);
    expect(due(1)).toBe(false);
    expect(due(2)).toBe(true);
    appendFileSync(fileOf(house), 'eve@example.com\n');
    expect(due(1)).toBe(true);
    await exportFrom(house);
    expect(due(1)).toBe(false);
    house.now += 60_000;
    await fill(19);
    await exportFrom(house);
    expect(due(2)).toBe(false);
    // somebody is deferred as removed, and will be unknown one day
    house.now += 2 * 3_600_000;
    expect(due(2)).toBe(true);
  });
});
