/** The command line beside running processes: doctor recognises the doors, and what the edge saw is shown. */
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { people } from './cli-house.js';

let rollcall: Rollcall;
let serve: RunningProcess;

const config = (ports: {
  smtp: number;
  policy: number;
  http: number;
}): Readonly<Record<string, unknown>> => ({
  domains: { 'example.com': { mode: 'enforce', sources: ['people'] } },
  sources: { people: { kind: 'csv', path: './people.csv', schedule: '@hourly', catchUp: false } },
  edges: {
    smtp: { listen: `127.0.0.1:${ports.smtp}` },
    policy: { listen: `127.0.0.1:${ports.policy}` },
  },
  http: { listen: `127.0.0.1:${ports.http}` },
});

beforeAll(async () => {
  rollcall = createRollcall(config({ smtp: 0, policy: 0, http: 0 }));
  writeFileSync(join(rollcall.folder, 'people.csv'), people(0, 100));
  await rollcall.cli(['sync', 'people']);
  serve = await rollcall.start('serve');
  rollcall.configure(
    config({ smtp: serve.port('smtp'), policy: serve.port('policy'), http: serve.port('http') }),
  );
});
afterAll(() => rollcall.remove());

/** Asks the policy edge about a recipient; its answer. */
function ask(recipient: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(serve.port('policy'), '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.endsWith('\n\n')) socket.end();
    });
    socket.once('close', () => resolve(heard.trim()));
    socket.once('error', reject);
    socket.write(
      `request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=${recipient}\nsender=x@y.example\nclient_address=192.0.2.1\n\n`,
    );
  });
}

describe('beside running processes', () => {
  it('doctor recognises our own doors, and leaves no trace in the counts', async () => {
    await rollcall.cli(['token', 'create', 'any']);
    const { status, json } = await rollcall.cli(['doctor']);
    const doors = (json?.['findings'] as { about: string; what: string }[]).filter(({ about }) =>
      about.includes(' on '),
    );
    expect(doors.map(({ what }) => what)).toEqual([
      'Rollcall answers',
      'Rollcall answers',
      'Rollcall answers',
    ]);
    expect(status).toBe(0);
    await ask('u1@example.com');
    const stats = await eventually(
      async () => (await rollcall.cli(['stats'])).json?.['counts'] as { count: number }[],
      (counts) => counts.length > 0,
    );
    expect(stats).toMatchObject([{ domain: 'example.com', reason: 'known', count: 1 }]);
  });

  it('a rejection is found again by its reference', async () => {
    const reference = /[0-9A-HJKMNP-TV-Z]{8}/.exec(
      (await ask('nobody@example.com')).replace(/^action=\S+/, ''),
    )?.[0];
    const found = await eventually(
      () => rollcall.cli(['stats', '--reference', String(reference)]),
      ({ status }) => status === 0,
    );
    expect(found.json).toMatchObject({
      address: 'nobody@example.com',
      reason: 'unknown',
      client: '192.0.2.1',
    });
  });

  it('a held removal shows when the address last got mail', async () => {
    await ask('u99@example.com');
    await eventually(
      async () => (await rollcall.cli(['check', 'u99@example.com'])).json?.['lastMail'],
      (at) => typeof at === 'string',
    );
    writeFileSync(join(rollcall.folder, 'people.csv'), people(0, 50));
    const held = await rollcall.cli(['sync', 'people']);
    expect(held.status).toBe(3);
    const shown = await rollcall.cli(['show', String(held.json?.['run']), '--limit', '100']);
    const rows = shown.json?.['held'] as { key: string; lastMail: string | null }[];
    expect(rows.find(({ key }) => key === 'u99@example.com')?.lastMail).toMatch(/^20/);
    expect(rows.find(({ key }) => key === 'u98@example.com')?.lastMail).toBeNull();
  });
});
