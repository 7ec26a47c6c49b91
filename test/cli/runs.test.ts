import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDirectoryReader } from '../../src/store/sqlite/open.js';
import { getRun } from '../../src/store/sqlite/run-records.js';
import { CliHouse, defaults, people } from './cli-house.js';

let house: CliHouse;

beforeEach(() => {
  house = new CliHouse();
});
afterEach(() => house.remove());

async function reasonFor(address: string): Promise<unknown> {
  return (await house.json('check', address)).json['reason'];
}

describe('sync', () => {
  it('prints exactly what it promises as JSON, and exits with 0', async () => {
    const { status, json } = await house.json('sync', 'people');
    expect(status).toBe(0);
    expect(json).toEqual({
      run: 1,
      source: 'people',
      state: 'applied',
      mode: 'full',
      complete: true,
      planHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      counts: { read: 100, added: 100, changed: 0, removed: 0, held: 0, skipped: 0 },
      reasons: [],
      notes: [
        expect.stringMatching(/^there is no column of aliases/) as string,
        expect.stringMatching(/^there is no column of kinds/) as string,
      ],
      description: expect.stringContaining('people.csv') as string,
    });
    expect((await house.json('sync', 'people')).json).toMatchObject({ run: 2, state: 'unchanged' });
  });

  it('says nothing beside its answer when standard error is no terminal', async () => {
    const { out, err } = await house.run(['sync', 'people']);
    expect(out).toMatch(/^Run 1, sync of source people: applied/);
    expect(err).toBe('');
  });

  it('of an unknown source exits with 1 and names those there are', async () => {
    const { status, out, err } = await house.run(['sync', 'staff', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'not-found', message: 'there is no source named staff', hint: 'Configured: people.' },
    });
    expect(err).toContain('Configured: people.');
  });

  it('of a source that cannot be read exits with 1 and is recorded as failed', async () => {
    house.write(
      'config.json',
      JSON.stringify({ ...defaults, sources: { people: { kind: 'csv', path: './none.csv' } } }),
    );
    const { status, json } = await house.json('sync', 'people');
    expect(status).toBe(1);
    expect(json).toMatchObject({ state: 'failed', complete: false, planHash: null });
    expect((await house.json('runs')).json).toMatchObject({
      runs: [{ run: 1, state: 'failed', actor: 'cli:tester' }],
    });
  });

  it('stopped by Ctrl-C is recorded as failed, and nothing is applied', async () => {
    await house.run(['sync', 'people']);
    house.write('people.csv', people(0, 400_000));
    const child = house.start('sync', 'people', '--json');
    const closed = once(child, 'close');
    const db = openDirectoryReader(join(house.folder, 'data', 'directory.db'));
    while (getRun(db, 2)?.state !== 'running') await new Promise((next) => setTimeout(next, 5));
    db.close();
    child.kill('SIGINT');
    expect((await closed)[0]).toBe(1);
    const { json } = await house.json('show', '2');
    expect(json).toMatchObject({ state: 'failed', reasons: [expect.stringContaining('SIGINT')] });
    expect(await reasonFor('u399999@example.com')).toBe('unknown');
  });
});

describe('a dry run', () => {
  it('changes nothing, and shows what would go', async () => {
    await house.run(['sync', 'people']);
    house.write('people.csv', people(2, 100));
    const { status, out } = await house.run(['sync', 'people', '--dry-run']);
    expect(status).toBe(0);
    expect(out).toContain('Would be removed:\n    u0@example.com\n    u1@example.com\n');
    expect(out).toContain('Nothing was changed');
    expect(await reasonFor('u0@example.com')).toBe('known');
    const shown = await house.json('show', '2');
    expect(shown.json).toMatchObject({
      state: 'planned',
      resolution: null,
      held: [{ op: '-' }, { op: '-' }],
    });
    expect((await house.run(['approve', '2'])).status).toBe(1);
  });
});

describe('what is held', () => {
  it('exits with 3; the wrong hash is refused, the right one applies, and rollback brings all back', async () => {
    await house.run(['sync', 'people']);
    house.write('people.csv', people(0, 60) + 'new@example.com\n');
    const held = await house.run(['sync', 'people']);
    expect(held.status).toBe(3);
    expect(held.out).toContain('partly-held');
    expect(await reasonFor('new@example.com')).toBe('known');
    const [, hash = ''] = /rollcall approve 2 --hash (\S+)`/.exec(held.out) ?? [];
    expect((await house.json('show', '2')).json).toMatchObject({ planHash: hash, resolution: 'pending' });

    const wrong = await house.json('approve', '2', '--hash', '0123456789abcdef');
    expect(wrong).toMatchObject({ status: 1, json: { error: { code: 'conflict' } } });
    expect(await reasonFor('u99@example.com')).toBe('known');

    const right = await house.json('approve', '2', '--hash', hash);
    expect(right).toMatchObject({ status: 0, json: { run: 3, state: 'applied', counts: { removed: 40 } } });
    const gone = await house.json('check', 'u99@example.com');
    expect(gone).toMatchObject({ status: 5, json: { action: 'defer', reason: 'removed', code: 450 } });

    expect((await house.json('rollback', '3')).json).toMatchObject({
      state: 'applied',
      counts: { added: 40 },
    });
    expect(await reasonFor('u99@example.com')).toBe('known');
  });

  it('is discarded', async () => {
    await house.run(['sync', 'people']);
    house.write('people.csv', people(0, 60));
    expect((await house.run(['sync', 'people'])).status).toBe(3);
    expect((await house.json('discard', '2')).json).toMatchObject({ run: 2, resolution: 'discarded' });
    expect((await house.run(['approve', '2'])).status).toBe(1);
  });
});

describe('upload', () => {
  it('takes a file, or standard input, and leaves no spooled file', async () => {
    house.write('other.csv', people(0, 5));
    expect((await house.json('upload', 'people', 'other.csv')).json).toMatchObject({
      state: 'applied',
      counts: { read: 5 },
    });
    const piped = await house.run(['upload', 'people', '-', '--json'], people(0, 6));
    expect(piped.status).toBe(0);
    expect(JSON.parse(piped.out)).toMatchObject({ state: 'applied', counts: { added: 1 } });
    expect(readdirSync(join(house.folder, 'data', 'spool'))).toEqual([]);
  });

  it('refuses standard input beyond the limit, and leaves no file', async () => {
    const http = { listen: '127.0.0.1:0', uploadLimit: '1KiB' };
    house.write('config.json', JSON.stringify({ ...defaults, http }));
    const { status, err } = await house.run(['upload', 'people', '-'], people(0, 1000));
    expect(status).toBe(1);
    expect(err).toContain('larger than 1024 bytes');
    expect(readdirSync(join(house.folder, 'data', 'spool'))).toEqual([]);
  });

  it('of a list that is none exits with 1 and is refused', async () => {
    const { status, out } = await house.run(['upload', 'people', '-', '--json'], '<html></html>');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ state: 'refused' });
  });

  it.each(['none.csv', '.', '/dev/zero'])('refuses %s, which is no file', async (file) => {
    expect((await house.run(['upload', 'people', file])).status).toBe(2);
  });

  it('shows the lines that could not be used', async () => {
    house.write('people.csv', `${people(0, 20)}not-an-address\n`);
    const run = await house.json('sync', 'people');
    expect(run.json).toMatchObject({ counts: { skipped: 1 } });
    const { out } = await house.run(['show', '1']);
    expect(out).toContain('line 22');
  });
});
