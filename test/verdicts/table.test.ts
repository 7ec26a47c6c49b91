/**
 * One verdict engine: every row of the verdict table through decide, every edge, `rollcall check` and HTTP, out of the same
 * store, with the same answer but for what a protocol cannot say (rows.ts has those in one place).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { reasons } from '../../src/policy/verdict.js';
import { startAcceptAll } from '../support/accept-all.js';
import { deferred } from '../support/defer.js';
import { startFakeLdap, type FakeLdap } from '../support/fake-ldap.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { expected, nextHopReply, openDoors, type Ask } from './doors.js';
import {
  domains,
  enforced,
  failed,
  internalGroup,
  observed,
  protocolDifferences,
  staffList,
  type Door,
  type Row,
} from './rows.js';

const doors = Object.keys(protocolDifferences) as Door[];
const defer = deferred();

function createHouse(directory: FakeLdap, nextHop: number): Rollcall {
  const listen = '127.0.0.1:0';
  const edges = {
    ...Object.fromEntries(
      ['smtp', 'policy', 'socketmap', 'tcp', 'readsocket', 'milter', 'http'].map((name) => [
        name,
        { listen },
      ]),
    ),
    proxy: { listen, nextHops: [`127.0.0.1:${nextHop}`] },
  };
  const rollcall = createRollcall(
    {
      domains,
      sources: {
        staff: { kind: 'csv', path: 'staff.csv', respectDisabled: true },
        uploads: { kind: 'csv' },
        directory: {
          kind: 'ldap',
          url: directory.url,
          bindDn: 'cn=reader,dc=example,dc=com',
          bindPassword: { env: 'DIRECTORY_PASSWORD' },
          baseDn: 'dc=example,dc=com',
        },
      },
      edges,
      http: { listen: '127.0.0.1:0' },
    },
    { DIRECTORY_PASSWORD: 'reader-secret' },
  );
  defer(() => rollcall.remove());
  return rollcall;
}

async function createNextHop(): Promise<number> {
  const nextHop = await startAcceptAll(nextHopReply);
  defer(() => nextHop.close());
  return nextHop.port;
}

/** A directory with one group that takes mail from inside only. */
async function createDirectory(): Promise<FakeLdap> {
  const directory = await startFakeLdap({
    search: (_, reply) => {
      reply.entry('cn=all,dc=example,dc=com', {
        entryUUID: '00000000-0000-4000-8000-000000000001',
        objectClass: ['groupOfNames'],
        mail: internalGroup,
        msExchRequireAuthToSendTo: 'TRUE',
      });
      reply.done({ cookie: '' });
    },
  });
  defer(() => directory.close());
  return directory;
}

async function openHouse(rollcall: Rollcall): Promise<Record<Door, Ask>> {
  const { json } = await rollcall.cli(['token', 'create', 'test', '--role', 'read']);
  const [control, edge] = [await rollcall.start('control'), await rollcall.start('edge')];
  return openDoors({ rollcall, edge, control, token: json?.['token'] as string });
}

/** `known person@example.com` and so on; long addresses cut. */
function titled(rows: readonly Row[]): (readonly [string, Row])[] {
  return rows.map((row) => {
    const from = row.from === '' ? '<>' : row.from;
    return [`${row.reason}: ${row.address.replace(/x{20,}/, 'x…')} from ${from}`, row];
  });
}

describe.each(['a store with lists', 'a snapshot that cannot be read'] as const)('%s', (which) => {
  const readable = which === 'a store with lists';
  let ask: Record<Door, Ask>;

  beforeAll(async () => {
    const rollcall = createHouse(await createDirectory(), await createNextHop());
    if (readable) await fill(rollcall);
    else makeUnreadable(rollcall);
    ask = await openHouse(rollcall);
  });

  it.each(titled(readable ? [...enforced, ...observed] : failed))('%s', async (_, row) => {
    const said = await Promise.all(doors.map(async (door) => [door, await ask[door](row)]));
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(doors.map((door) => [door, expected(door, row)])),
    );
  });
});

it('has a row for every reason', () => {
  const rows = [...enforced, ...observed, ...failed];
  expect(reasons.filter((reason) => !rows.some((row) => row.reason === reason))).toEqual([]);
});

/** Both lists, then the first again without `gone`. */
async function fill(rollcall: Rollcall): Promise<void> {
  for (const [withGone, source] of [
    [true, 'staff'],
    [true, 'directory'],
    [false, 'staff'],
  ] as const) {
    writeFileSync(join(rollcall.folder, 'staff.csv'), staffList({ withGone }));
    const { status, stdout } = await rollcall.cli(['sync', source]);
    expect(status, stdout).toBe(0);
  }
}

/** A folder stands where the snapshot should be, so that control cannot mend it either. */
function makeUnreadable(rollcall: Rollcall): void {
  mkdirSync(join(rollcall.dataDir, 'lookup.db', 'not-empty'), { recursive: true });
  writeFileSync(join(rollcall.folder, 'staff.csv'), staffList({ withGone: false }));
}
