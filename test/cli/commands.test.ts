import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliHouse, defaults } from './cli-house.js';

let house: CliHouse;

beforeAll(async () => {
  house = new CliHouse({
    ...defaults,
    domains: {
      ...defaults.domains,
      'watched.example': { mode: 'observe', sources: ['people'] },
      'bücher.example': { mode: 'enforce', sources: ['people'] },
    },
  });
  house.write('people.csv', 'address\nada@example.com\nada@watched.example\n');
  await house.run(['sync', 'people']);
});
afterAll(() => house.remove());

describe('check', () => {
  it.each([
    ['ada@example.com', 0, 'accept', 'known', 'ada@example.com'],
    ['Ada+list@EXAMPLE.com', 0, 'accept', 'subaddress', 'ada@example.com'],
    ['postmaster@example.com', 0, 'accept', 'always', null],
    ['nobody@example.com', 4, 'reject', 'unknown', null],
    ['nobody@watched.example', 0, 'accept', 'unknown', null],
    ['x@elsewhere.example', 4, 'reject', 'not-our-domain', null],
    ['a b', 4, 'reject', 'bad-syntax', null],
    ['x@bücher.example', 5, 'defer', 'never-synced', null],
  ])('%s exits with %i: %s, %s', async (address, status, action, reason, recipient) => {
    const answer = await house.json('check', address);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ address, action, reason, recipient, generation: 1 });
    for (const key of ['code', 'status', 'text', 'claims']) expect(answer.json).toHaveProperty(key);
  });

  it('says why, with claims and lists', async () => {
    const { out } = await house.run(['check', 'ada@example.com', '--from', '<>', '--client', '192.0.2.1']);
    expect(out).toContain('ada@example.com: accept, 250 2.1.5');
    expect(out).toMatch(/people\s+ada@example.com\s+address/);
    expect(out).toMatch(/people\s+1\s+complete/);
  });

  it('in mode observe tells what it would have been', async () => {
    const { json } = await house.json('check', 'nobody@watched.example');
    expect(json).toMatchObject({ code: 250, wouldBe: { action: 'reject', code: 550, reason: 'unknown' } });
  });

  it('before anything was published defers', async () => {
    const empty = new CliHouse();
    const answer = await empty.json('check', 'ada@example.com');
    expect(answer).toMatchObject({
      status: 5,
      json: { action: 'defer', code: 451, generation: null, claims: [] },
    });
    empty.remove();
  });
});

describe('usage and configuration', () => {
  it.each([
    [[]],
    [['sync']],
    [['synk', 'people']],
    [['sync', 'people', '--dryrun']],
    [['runs', '--limit', 'x']],
    [['-c', 'none.json', 'runs']],
    [['token', 'create', 'x', '--role', 'root']],
    [['token', 'create', 'x', '--tenant', 'nobody']],
    [['stats', '-c', '/etc/hostname']],
  ])('%j exits with 2', async (args) => {
    const { status, err } = await house.run(args);
    expect(status).toBe(2);
    expect(err).not.toBe('');
  });

  it('a wrong configuration is told with the path, on standard error and as JSON', async () => {
    house.write('wrong.json', '{ "domains": { "example.com": { "mode": "enfroce" } } }');
    const { status, out, err } = await house.run(['-c', 'wrong.json', 'runs', '--json']);
    expect(status).toBe(2);
    expect(err).toContain('domains["example.com"].mode');
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'config' } });
    const checked = await house.json('-c', 'wrong.json', 'config', 'check');
    expect(checked).toMatchObject({
      status: 2,
      json: { ok: false, errors: [{ path: 'domains["example.com"].mode' }] },
    });
  });

  it('a usage error is JSON too', async () => {
    const { out } = await house.run(['sync', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'usage', message: expect.stringContaining('source') as string },
    });
  });

  it('without any configuration says how to name one', async () => {
    const empty = new CliHouse();
    rmSync(join(empty.folder, 'config.json'));
    const { status, err } = await empty.run(['runs']);
    expect(status).toBe(2);
    expect(err).toContain('-c FILE');
    empty.remove();
  });

  it('check, print and reference answer', async () => {
    expect((await house.json('config', 'check')).json).toMatchObject({ ok: true, errors: [] });
    house.write('printed.json', (await house.run(['config', 'print'])).out);
    expect((await house.run(['-c', 'printed.json', 'config', 'check'])).status).toBe(0);
    expect((await house.run(['config', 'reference'])).out).toContain('# Configuration');
    expect(JSON.parse((await house.run(['config', 'reference', '--schema'])).out)).toHaveProperty(
      'properties',
    );
  });

  it('help and version exit with 0', async () => {
    const help = await house.run(['--help']);
    expect(help.status).toBe(0);
    for (const command of ['sync', 'upload', 'approve', 'doctor', 'check'])
      expect(help.out).toContain(command);
    expect((await house.json('version')).json).toMatchObject({
      version: expect.stringMatching(/^\d+\./) as string,
    });
  });
});

describe('tokens', () => {
  it('are shown once, listed without their secret, and revoked', async () => {
    const created = await house.run(['token', 'create', 'ci', '--role', 'upload']);
    expect(created.status).toBe(0);
    expect(created.out).toMatch(/^rollcall_\S{40,}\n$/);
    const listed = await house.run(['token', 'list', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject({
      tokens: [{ name: 'ci', role: 'upload', tenant: 'default' }],
    });
    expect(listed.out).not.toContain(created.out.trim());
    expect((await house.run(['token', 'create', 'ci'])).status).toBe(1);
    expect((await house.run(['token', 'revoke', 'ci'])).status).toBe(0);
    expect((await house.run(['token', 'revoke', 'ci'])).status).toBe(1);
  });
});

describe('output', () => {
  it('into a pipe that nobody reads is no failure', async () => {
    const child = house.start('config', 'reference');
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(err).toBe('');
  });

  it('shows no control characters out of a list', async () => {
    const other = new CliHouse();
    other.write('people.csv', 'address\nada@example.com\nbob@example.com\n"x\u001b[31m@@"\n');
    await other.run(['sync', 'people']);
    expect((await other.run(['show', '1'])).out).not.toContain('\u001b');
    other.remove();
  });
});

describe('stats', () => {
  it('answers when nothing was counted yet, and names an unknown reference', async () => {
    expect((await house.run(['stats'])).out).toContain('No answer was counted yet');
    expect((await house.run(['stats', '--reference', 'ABCD1234'])).status).toBe(1);
    expect((await house.run(['stats', '--domain', 'nobody.example'])).status).toBe(1);
  });
});

interface Found {
  readonly level: string;
  readonly about: string;
  readonly what: string;
  readonly mend: string;
}

async function doctor(at: CliHouse): Promise<{ status: number | null; wrong: readonly Found[] }> {
  const { status, json } = await at.json('doctor', '--quiet');
  return { status, wrong: json['findings'] as Found[] };
}

describe('doctor', () => {
  it('finds nothing wrong with a house in order', async () => {
    const well = new CliHouse({ ...defaults, edges: { policy: { listen: '127.0.0.1:0' } } });
    await well.run(['sync', 'people']);
    expect(await doctor(well)).toEqual({ status: 0, wrong: [] });
    well.remove();
  });

  it('finds what a newcomer gets wrong, and says how to mend each', async () => {
    const taken = createServer((socket) => socket.end('hello\r\n')).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const bad = new CliHouse({
      dataDir: './data',
      domains: {
        'example.com': { mode: 'observe', sources: ['people', 'gone'] },
        'empty.example': { mode: 'enforce', sources: ['people'], catchAll: true },
      },
      sources: {
        people: { kind: 'csv', path: './people.csv', schedule: '@hourly' },
        gone: { kind: 'csv', path: './gone.csv', schedule: '@hourly' },
        ad: {
          kind: 'ldap',
          url: 'ldap://127.0.0.1:1',
          bindDn: 'cn=x',
          bindPassword: { file: './secret' },
          baseDn: 'dc=x',
          schedule: '@hourly',
        },
      },
      edges: { policy: { listen: `127.0.0.1:${port}` } },
      http: { listen: '127.0.0.1:0' },
    });
    writeFileSync(join(bad.folder, 'secret'), 'pw');
    chmodSync(join(bad.folder, 'secret'), 0o640);
    await bad.run(['sync', 'people']);
    bad.write('people.csv', 'address\nu1@example.com\n');
    await bad.run(['sync', 'people']);
    const { status, wrong } = await doctor(bad);
    expect(status).toBe(1);
    const texts = wrong.map(({ level, about, what }) => `${level} ${about}: ${what}`).join('\n');
    for (const expected of [
      /warn domain example.com: it is in mode observe/,
      /warn domain example.com: no complete list of gone/,
      /warn domain empty.example: it accepts every local part/,
      /error domain empty.example: no source names an address/,
      /warn source people: run 2 holds changes/,
      /error source gone: .*gone.csv cannot be read/,
      /error source ad: .*127.0.0.1/,
      /warn sources.ad.bindPassword: .*can be read by others/,
      /error policy on .*: something else listens there/,
      /warn http: there is no token/,
    ])
      expect(texts).toMatch(expected);
    for (const { mend } of wrong) expect(mend).not.toBe('');
    expect(texts).not.toContain('pw');
    bad.remove();
    taken.close();
  });

  it('tells of the last run that says how the list is, be there a preview since', async () => {
    const list = new CliHouse();
    await list.run(['sync', 'people']);
    const good = readFileSync(join(list.folder, 'people.csv'), 'utf8');
    list.write('people.csv', '');
    await list.run(['sync', 'people']);
    list.write('people.csv', good);
    await list.run(['sync', 'people', '--dry-run']);
    expect((await doctor(list)).wrong.map(({ about, what }) => `${about}: ${what}`)).toContainEqual(
      expect.stringMatching(/^source people: its last run \(2, .*\) refused: /),
    );
    list.remove();
  });

  it('names the source of a domain that knows nobody in it, and looks at an alias as the edges do', async () => {
    const csv = (name: string): object => ({ kind: 'csv', path: `./${name}.csv`, schedule: '@hourly' });
    const wrong = new CliHouse({
      ...defaults,
      domains: {
        'example.com': { mode: 'enforce', sources: ['people', 'others'] },
        'alias.example': { mode: 'enforce', aliasOf: 'example.com' },
      },
      sources: { people: csv('people'), others: csv('others') },
      edges: { policy: { listen: '127.0.0.1:0' } },
    });
    wrong.write('others.csv', 'address\nsomebody@elsewhere.example\nother@example.com\n');
    for (const source of ['people', 'others']) await wrong.run(['sync', source]);
    expect(await doctor(wrong)).toEqual({ status: 0, wrong: [] });
    const store = new Database(join(wrong.folder, 'data', 'directory.db'));
    store.exec(
      "UPDATE coverage SET addresses = 0 WHERE source = (SELECT source FROM source WHERE name = 'others')",
    );
    store.exec("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision'");
    store.close();
    // the same generation, but not published since
    expect((await doctor(wrong)).wrong).toMatchObject([{ level: 'warn', about: 'lookup.db' }]);
    await wrong.run(['sync', 'people']);
    const silent = {
      level: 'error',
      what: 'others names no address in it',
      mend: expect.stringMatching(/take it out of the domain's `sources`, or mend what it reads/) as string,
    };
    expect((await doctor(wrong)).wrong).toMatchObject([
      { about: 'domain example.com', ...silent },
      { about: 'domain alias.example', ...silent },
    ]);
    wrong.remove();
  });

  it('finds a damaged snapshot', async () => {
    const broken = new CliHouse({ ...defaults, edges: { policy: { listen: '127.0.0.1:0' } } });
    await broken.run(['sync', 'people']);
    writeFileSync(join(broken.folder, 'data', 'lookup.db'), 'no database at all, but long enough to look at');
    const { status, wrong } = await doctor(broken);
    expect(status).toBe(1);
    expect(wrong.some(({ level, about }) => level === 'error' && about === 'lookup.db')).toBe(true);
    broken.remove();
  });

  it('tells the mistakes of a wrong configuration', async () => {
    house.write('wrong.json', '{ "dataDirr": "x" }');
    const { status, json } = await house.json('doctor', '-c', 'wrong.json');
    expect(status).toBe(1);
    expect(JSON.stringify(json)).toContain('dataDirr');
  });
});
