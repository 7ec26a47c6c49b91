/** A real edge and control before a fake mail server: a harvest, a silent server, a stop, HTTP, metrics. */
import { afterEach, describe, expect, it } from 'vitest';
import { askOnce, connectPolicy } from '../processes/policy-client.js';
import { eventually } from '../support/eventually.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { only, startFakeServer, type FakeServer, type Script } from './fake-server.js';

const people = only('ada@example.com', 'bob@example.com', 'postmaster@example.com');
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function house(
  script: Script,
  source: object = {},
): Promise<{ rollcall: Rollcall; server: FakeServer }> {
  const server = await startFakeServer(script);
  const rollcall = createRollcall({
    domains: { 'example.com': { mode: 'enforce', sources: ['server'] } },
    sources: {
      server: { kind: 'smtp', hosts: `127.0.0.1:${server.port}`, witness: 'ada@example.com', ...source },
    },
    edges: { policy: { listen: '127.0.0.1:0', maxConnections: 1000 } },
    http: { listen: '127.0.0.1:0' },
  });
  closers.push(
    () => rollcall.remove(),
    () => server.stop(),
  );
  return { rollcall, server };
}

describe('an edge that asks ahead', () => {
  it('under a harvest asks no more than it may, defers the strangers, and takes whom it knows', async () => {
    const { rollcall, server } = await house({ rcpt: people }, { maxPerSecond: 5, timeout: '1s' });
    const edge = await rollcall.start('edge');
    const port = edge.port('policy');
    expect(await askOnce(port, 'ada@example.com')).toBe('DUNNO');
    const before = server.asked.length;
    const began = performance.now();
    const harvest = Array.from({ length: 200 }, async (_, client) => {
      const connection = await connectPolicy(port);
      const answers: string[] = [];
      for (let i = 0; i < 5; i += 1) answers.push(await connection.ask(`h${client}x${i}@example.com`));
      connection.close();
      return answers;
    });
    expect(await askOnce(port, 'ada@example.com')).toBe('DUNNO');
    const answers = (await Promise.all(harvest)).flat();
    const seconds = (performance.now() - began) / 1000;
    // witnesses count as well, afterwards: four probes at a time may each be one ahead
    expect(server.asked.length - before).toBeLessThanOrEqual(5 + Math.ceil(seconds * 5) + 4);
    expect(answers.filter((answer) => !/^(451 4\.4\.3|550 5\.1\.1) /.test(answer))).toEqual([]);
    expect(answers.filter((answer) => answer.startsWith('451')).length).toBeGreaterThan(900);
  });

  it('before a silent server defers by its deadline, and owes nobody an answer when it is stopped', async () => {
    const { rollcall } = await house({ greeting: undefined }, { timeout: '500ms' });
    const edge = await rollcall.start('edge');
    const began = performance.now();
    expect(await askOnce(edge.port('policy'), 'ada@example.com')).toMatch(/^451 4\.4\.3 /);
    expect(performance.now() - began).toBeLessThan(3000);
    const client = await connectPolicy(edge.port('policy'));
    const owed = client.ask('bob@example.com');
    await edge.stop();
    expect(await owed).toMatch(/^451 4\.4\.3 /);
    client.close();
  });

  it('is ready without a list, and tells what it asked in the metrics of control', async () => {
    const { rollcall } = await house({ rcpt: people });
    const edge = await rollcall.start('edge');
    expect(await askOnce(edge.port('policy'), 'ada@example.com')).toBe('DUNNO');
    expect(await askOnce(edge.port('policy'), 'eve@example.com')).toMatch(/^550 5\.1\.1 /);
    const control = await rollcall.start('control');
    const url = `http://127.0.0.1:${control.port('http')}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const { json } = await rollcall.cli(['token', 'create', 'reader', '--role', 'read']);
    const authorization = `Bearer ${String(json?.['token'])}`;
    const explain = async (address: string) =>
      (await (
        await fetch(`${url}/v1/recipients/${address}`, { headers: { authorization } })
      ).json()) as object;
    expect(await explain('ada@example.com')).toMatchObject({ action: 'accept', reason: 'known' });
    expect(await explain('eve@example.com')).toMatchObject({ action: 'reject', reason: 'unknown' });
    await eventually(
      async () => (await fetch(`${url}/metrics`)).text(),
      (text) =>
        text.includes('rollcall_callahead_probes_total{source="server",outcome="known"} 1') &&
        text.includes('rollcall_callahead_recipients{source="server",answer="unknown"} 1'),
    );
  });

  it('refuses a configuration that would ask itself', async () => {
    const { rollcall } = await house({ rcpt: people });
    rollcall.configure({
      domains: { 'example.com': { sources: ['server'] } },
      sources: { server: { kind: 'smtp', hosts: 'localhost:2525', positive: { refresh: '40d' } } },
      edges: { smtp: { listen: '127.0.0.1:2525' } },
    });
    const { status, stdout, stderr } = await rollcall.cli(['config', 'check']);
    expect(status).toBe(2);
    expect(stdout + stderr).toContain('is one of our own doors');
    expect(stdout + stderr).toContain('must not be longer than');
  });

  it('refuses a witness that says nothing, and warns of one for another domain', async () => {
    const { rollcall } = await house({ rcpt: people }, { witness: 'postmaster@example.com' });
    const refused = await rollcall.cli(['config', 'check']);
    expect(refused.status).toBe(2);
    expect(refused.stdout + refused.stderr).toContain('a server may take it without its list');
    rollcall.configure({
      domains: { 'example.com': { sources: ['server'] } },
      sources: { server: { kind: 'smtp', hosts: '127.0.0.1:25', witness: 'ada@other.example' } },
    });
    const warned = await rollcall.cli(['config', 'check']);
    expect(warned.stdout + warned.stderr).toContain('is in no domain that names this source');
  });

  it('warns of a file for a domain whose server is asked', async () => {
    const { rollcall } = await house({ rcpt: people });
    rollcall.configure({
      domains: { 'example.com': { mode: 'enforce', sources: ['server'] } },
      sources: { server: { kind: 'smtp', hosts: '127.0.0.1:25' } },
      exports: { relay: { format: 'plain', path: 'relay', domains: ['example.com'] } },
    });
    const { stdout, stderr } = await rollcall.cli(['config', 'check']);
    expect(stdout + stderr).toContain('its own mail server is asked about whom no list knows');
  });
});
