/**
 * Postfix with files that Rollcall writes: what holds there is another thing than behind a door. Nobody is asked, so with
 * Rollcall stopped the last list goes on, and a list that is out of date is not written.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { findCommand } from '../support/peers.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { createExportHouse, type ExportHouse } from './export-house.js';
import { rcpt } from './scenario.js';

function run([command = '', ...args]: readonly string[]): void {
  execFileSync(command, args, { stdio: 'ignore' });
}

interface Kind {
  readonly table: string;
  readonly format: 'texthash' | 'sqlite';
  /** Made by postmap out of the export. */
  readonly built?: boolean;
}

const kinds: readonly Kind[] = [
  { table: 'texthash', format: 'texthash' },
  { table: 'lmdb', format: 'texthash', built: true },
  { table: 'cdb', format: 'texthash', built: true },
  { table: 'hash', format: 'texthash', built: true },
  { table: 'sqlite', format: 'sqlite' },
];

describe.skipIf(!havePostfix).each(kinds)('Postfix with $table: written by rollcall export', (kind) => {
  const defer = deferred();
  let house: ExportHouse;
  let postfix: Postfix;
  let hook: readonly string[];
  const reload = () => [findCommand('postfix') ?? 'postfix', '-c', `${postfix.folder}/etc`, 'reload'];
  const ask = (recipient: string) => rcpt(postfix.port, recipient);

  beforeAll(async () => {
    house = createExportHouse(kind.format);
    defer(() => house.remove());
    const table = `${kind.table}:${house.file}${kind.format === 'sqlite' ? '.cf' : ''}`;
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
    // of a built table smtpd sees by itself that it has changed
    hook = kind.built === true ? [findCommand('postmap') ?? 'postmap', table] : reload();
    house.configure({ hook });
  }, 60_000);

  it('defers everybody before there is a file', async () => {
    expect(await ask('person@example.com'), postfix.log()).toMatch(/^4/);
  });

  it('takes the known and refuses the unknown at RCPT, with no Rollcall running', async () => {
    await house.list(['person', 'person2', 'person3', 'große', 'ärzte']);
    await house.exportWell();
    // an smtpd that has not found the table does not look again in its life of a hundred sessions
    if (kind.built === true) run(reload());
    await eventually(
      () => ask('person@example.com'),
      (reply) => reply.startsWith('250 '),
    );
    expect(await ask('nobody@example.com'), postfix.log()).toMatch(/^550 5\.1\.1 /);
    for (const known of ['person+news', 'PERSON', 'postmaster', '"person"', 'ärzte', 'Ärzte', 'a\u0308rzte'])
      expect(await ask(`${known}@example.com`), known).toMatch(/^250 /);
  });

  it('defers who was removed lately, and takes somebody new', async () => {
    await house.list(['person', 'person2', 'newcomer', 'große', 'ärzte']);
    await house.exportWell();
    await eventually(
      () => ask('person3@example.com'),
      (reply) => reply.startsWith('450 4.2.1 '),
    );
    expect(await ask('newcomer@example.com'), postfix.log()).toMatch(/^250 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });

  // every reload empties Postfix of its log writer, and a test's own log must not be what it waits for: two kinds, one client
  it.runIf(kind.table === 'lmdb' || kind.table === 'sqlite')(
    'answers rightly all the time while the file is replaced under load',
    async () => {
      const count = new Map<string, number>();
      let stop = false;
      const client = async (): Promise<void> => {
        while (!stop) {
          for (const [recipient, expected] of [
            ['person@example.com', '250'],
            ['nobody@example.com', '550'],
          ] as const) {
            const reply = await ask(recipient).catch(String);
            const kind = reply.startsWith(expected) ? 'right' : reply;
            count.set(kind, (count.get(kind) ?? 0) + 1);
          }
        }
      };
      const clients = Promise.all([client()]);
      try {
        for (let i = 0; i < 2; i += 1) {
          await house.list(['person', 'person2', 'newcomer', 'große', 'ärzte', `more${i}`]);
          await house.exportWell();
        }
      } finally {
        stop = true;
        await clients;
      }
      expect([...count.keys()], postfix.log().slice(-3000)).toEqual(['right']);
      expect(postfix.log()).not.toMatch(/fatal:.*(locked|database)/);
    },
    60_000,
  );

  it('keeps the last file while the list is out of date, and says so', async () => {
    const before = readFileSync(house.file);
    house.configure({ staleAfter: '1s', hook });
    const { status, json } = await eventually(
      () => house.export(),
      (result) => result.status !== 0,
    );
    expect(status).toBe(1);
    expect(json).toMatchObject({ exports: [{ state: 'deferred', hook: null }] });
    expect(readFileSync(house.file).equals(before)).toBe(true);
    expect(await ask('person@example.com')).toMatch(/^250 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });
});
