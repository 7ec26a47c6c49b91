/**
 * Postfix with files that Rollcall writes: what holds there is another thing than behind a door. Nobody is asked, so with
 * Rollcall stopped the last list goes on, and a list that is out of date is not written.
 */
import { mkdtempSync, chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { findCommand } from '../support/peers.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { rcpt } from './scenario.js';

interface Kind {
  readonly name: string;
  readonly format: 'texthash' | 'sqlite';
  /** The table, as in main.cf, of the file. */
  readonly table: (file: string) => string;
  /** Besides `postfix reload`. */
  readonly build?: (file: string) => string;
}

const kinds: readonly Kind[] = [
  { name: 'texthash', format: 'texthash', table: (file) => `texthash:${file}` },
  {
    name: 'lmdb',
    format: 'texthash',
    table: (file) => `lmdb:${file}`,
    build: (file) => `postmap lmdb:${file}`,
  },
  { name: 'cdb', format: 'texthash', table: (file) => `cdb:${file}`, build: (file) => `postmap cdb:${file}` },
  {
    name: 'hash',
    format: 'texthash',
    table: (file) => `hash:${file}`,
    build: (file) => `postmap hash:${file}`,
  },
  { name: 'sqlite', format: 'sqlite', table: (file) => `sqlite:${file}.cf` },
];

describe.skipIf(!havePostfix).each(kinds)('Postfix with $name written by rollcall export', (kind) => {
  const defer = deferred();
  let rollcall: Rollcall;
  let postfix: Postfix;
  let folder: string;
  let file: string;

  const configure = (staleAfter: string) => {
    const reload = `${findCommand('postfix') ?? 'postfix'} -c ${postfix.folder}/etc reload`;
    const build = kind.build === undefined ? [] : [kind.build(file)];
    rollcall.configure({
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'], staleAfter } },
      sources: { staff: { kind: 'csv', path: 'staff.csv' } },
      exports: {
        postfix: {
          format: kind.format,
          path: file,
          hook: { command: ['sh', '-ec', [...build, reload].join('; ')] },
        },
      },
    });
  };
  const list = async (names: readonly string[]) => {
    const rows = names.map((name) => `${name}@example.com`).join('\n');
    writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${rows}\n`);
    const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
    expect(status, `${stdout}${stderr}`).toBe(0);
  };
  const ask = (recipient: string) => rcpt(postfix.port, recipient);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rollcall-export-'));
    chmodSync(folder, 0o755);
    defer(() => rmSync(folder, { recursive: true, force: true }));
    file = join(folder, 'recipients');
    rollcall = createRollcall({});
    defer(() => rollcall.remove());
    const table = kind.table(file);
    postfix = await startPostfix({
      domains: ['example.com'],
      check: {
        lines: [
          `relay_recipient_maps = ${table}`,
          `smtpd_recipient_restrictions = reject_unauth_destination, check_recipient_access ${table}`,
          'recipient_delimiter = +',
        ],
      },
    });
    defer(() => postfix.stop());
    configure('48h');
  }, 60_000);

  it('defers everybody before there is a file', async () => {
    expect(await ask('person@example.com'), postfix.log()).toMatch(/^4/);
  });

  it('takes the known and refuses the unknown, with no Rollcall running', async () => {
    await list(['person', 'person2', 'person3', 'first.last']);
    const { status, stdout, stderr } = await rollcall.cli(['export']);
    expect(status, `${stdout}${stderr}`).toBe(0);
    await eventually(
      () => ask('person@example.com'),
      (reply) => reply.startsWith('250 '),
    );
    expect(await ask('nobody@example.com'), postfix.log()).toMatch(/^550 5\.1\.1 /);
    expect(await ask('person+news@example.com')).toMatch(/^250 /);
    expect(await ask('PERSON@EXAMPLE.COM')).toMatch(/^250 /);
    expect(await ask('postmaster@example.com')).toMatch(/^250 /);
  });

  it('defers who was removed lately, and takes somebody new', async () => {
    await list(['person', 'person2', 'newcomer']);
    const { status, stdout, stderr } = await rollcall.cli(['export']);
    expect(status, `${stdout}${stderr}`).toBe(0);
    await eventually(
      () => ask('person3@example.com'),
      (reply) => reply.startsWith('450 4.2.1 '),
    );
    expect(await ask('newcomer@example.com'), postfix.log()).toMatch(/^250 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });

  it('keeps the last file while the list is out of date, and says so', async () => {
    const before = readFileSync(file);
    configure('1s');
    const { status, json } = await eventually(
      () => rollcall.cli(['export']),
      (result) => result.status !== 0,
    );
    expect(status).toBe(1);
    expect(json).toMatchObject({ exports: [{ state: 'deferred', hook: null }] });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await ask('person@example.com')).toMatch(/^250 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });
});
