/** A real Postfix behind, a real edge process before it: what clients of the edge hear while it is up, down, and back. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askOnce } from '../processes/policy-client.js';
import { eventually } from '../support/eventually.js';
import { havePostfix } from '../support/postfix.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { session } from '../support/smtp-client.js';
import { startNextHop, type NextHop } from './next-hop.js';

const houses: Rollcall[] = [];
afterEach(async () => {
  for (const each of houses.splice(0)) await each.remove();
});

describe.skipIf(!havePostfix)('a domain whose own mail server is asked', () => {
  let server: NextHop;
  beforeAll(async () => {
    server = await startNextHop();
  });
  afterAll(() => server.stop());

  function house(source: object = {}, domain: object = {}): Rollcall {
    const rollcall = createRollcall({
      domains: { 'example.com': { mode: 'enforce', sources: ['server'], ...domain } },
      sources: {
        server: { kind: 'smtp', hosts: `127.0.0.1:${server.port}`, witness: 'ada@example.com', ...source },
      },
      edges: { smtp: { listen: '127.0.0.1:0', greetingDelay: '0s' }, policy: { listen: '127.0.0.1:0' } },
      log: { level: 'debug' },
    });
    houses.push(rollcall);
    return rollcall;
  }

  it('takes whom the server takes, and refuses whom it does not know, through every door', async () => {
    const edge = await house().start('edge');
    const answers = await session(edge.port('smtp'), 'a@elsewhere.test', [
      'ada@example.com',
      'eve@example.com',
    ]);
    expect(answers).toEqual([
      '250 2.1.5 Recipient ok',
      expect.stringMatching(/^550 5\.1\.1 No such mailbox here \(ref /),
    ]);
    expect(await askOnce(edge.port('policy'), 'bob@example.com')).toBe('DUNNO');
    expect(await askOnce(edge.port('policy'), 'mallory@example.com')).toMatch(/^550 5\.1\.1 /);
  });

  it('while the server is stopped keeps whom it knows, and defers all others until it is back', async () => {
    const rollcall = house();
    const edge = await rollcall.start('edge');
    expect(await askOnce(edge.port('policy'), 'ada@example.com')).toBe('DUNNO');
    await server.pause();
    try {
      expect(await askOnce(edge.port('policy'), 'ada@example.com')).toBe('DUNNO');
      expect(await askOnce(edge.port('policy'), 'bob@example.com')).toMatch(/^451 4\.4\.3 /);
      expect(await askOnce(edge.port('policy'), 'eve@example.com')).toMatch(/^451 4\.4\.3 /);
    } finally {
      await server.resume();
    }
    await eventually(
      () => askOnce(edge.port('policy'), 'bob@example.com'),
      (answer) => answer === 'DUNNO',
    );
    expect(await askOnce(edge.port('policy'), 'eve@example.com')).toMatch(/^550 5\.1\.1 /);
  });

  it('keeps what it was told over a restart of the edge', async () => {
    const rollcall = house();
    const edge = await rollcall.start('edge');
    expect(await askOnce(edge.port('policy'), 'ada@example.com')).toBe('DUNNO');
    expect(await askOnce(edge.port('policy'), 'eve@example.com')).toMatch(/^550 5\.1\.1 /);
    await edge.kill();
    await server.pause();
    try {
      const again = await rollcall.start('edge');
      expect(await askOnce(again.port('policy'), 'ada@example.com')).toBe('DUNNO');
      expect(await askOnce(again.port('policy'), 'eve@example.com')).toMatch(/^550 5\.1\.1 /);
      expect(await askOnce(again.port('policy'), 'bob@example.com')).toMatch(/^451 /);
    } finally {
      await server.resume();
    }
  });

  it('in mode observe accepts all, and records what the server said', async () => {
    const edge = await house({}, { mode: 'observe' }).start('edge');
    expect(await askOnce(edge.port('policy'), 'ada@example.com')).toBe('DUNNO');
    expect(await askOnce(edge.port('policy'), 'eve@example.com')).toBe('DUNNO');
    await eventually(
      () => edge.log(),
      (log) => /"recipient":"eve@example.com".*"observed":"unknown"/.test(log),
    );
    expect(edge.log()).not.toMatch(/"recipient":"ada@example.com".*"observed"/);
  });

  it('is explained by `check` as the edge answers, by HTTP too, and `sync` says that there is no list', async () => {
    const rollcall = house();
    const known = await rollcall.cli(['check', 'ada@example.com']);
    expect(known).toMatchObject({
      status: 0,
      json: { reason: 'known', mailServers: ['server'], freshness: null },
    });
    expect(await rollcall.cli(['check', 'eve@example.com'])).toMatchObject({
      status: 4,
      json: { reason: 'unknown', code: 550 },
    });
    const sync = await rollcall.cli(['sync', 'server']);
    expect(sync.status).toBe(2);
    expect(sync.stderr).toContain('source server is of kind smtp: it has no list');
    const doctor = await rollcall.cli(['doctor']);
    expect(doctor.stdout).toContain('tells its recipients apart');
  });
});
