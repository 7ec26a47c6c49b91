/** From a local Entra ID to a verdict, through the configuration and the jobs as control and the command line run them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import type { Streams } from '../../src/cli/context.js';
import { runJob } from '../../src/compose/jobs.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import type { RunRecord } from '../../src/store/store.js';
import { createApplicationKey } from '../support/application-key.js';
import { startGraph, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';

describe('Entra ID, signed in with a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-entra-'));
  let pki: Pki;
  let graph: LocalGraph;
  let config: Config;
  let ann = '';

  beforeAll(async () => {
    pki = createPki();
    const app = createApplicationKey();
    graph = await startGraph({ pki, application: { certificate: app.certificate } });
    for (let i = 0; i < 250; i += 1) graph.directory.addUser(`p${i}@example.com`, [`alias${i}@example.com`]);
    ann = graph.directory.addUser('ann@example.com');
    graph.directory.addUser('guest@elsewhere.example');
    writeFileSync(join(folder, 'app.pem'), app.certificate);
    writeFileSync(join(folder, 'app.key'), app.key, { mode: 0o600 });
    writeFileSync(join(folder, 'ca.pem'), pki.ca);
    writeFileSync(join(folder, 'config.json'), JSON.stringify(written()));
    config = loadConfig(join(folder, 'config.json')).config;
  });
  afterAll(async () => {
    await graph.stop();
    pki.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function written(): Record<string, unknown> {
    const { tenantId, clientId } = graph.application;
    const certificate = { file: 'app.pem', key: { file: 'app.key' } };
    const endpoints = { login: graph.loginOrigin, graph: graph.origin };
    const entra = { kind: 'graph', tenantId, clientId, certificate, endpoints, ca: 'ca.pem', proxy: 'none' };
    return {
      dataDir: join(folder, 'data'),
      domains: { 'example.com': { mode: 'enforce', sources: ['entra'] } },
      sources: { entra },
      edges: { policy: { listen: '127.0.0.1:0' } },
    };
  }

  const sync = (): Promise<RunRecord> =>
    runJob(
      config,
      { kind: 'sync', source: 'entra', dryRun: false, actor: 'test' },
      { signal: new AbortController().signal },
    );

  it('is read whole at first, and then by its changes', async () => {
    const first = await sync();
    expect(first).toMatchObject({ state: 'applied', complete: true, mode: 'full', reasons: [] });
    expect(first.counts).toMatchObject({ read: 252, added: 501 });
    expect(first.notes.join()).toContain('elsewhere.example 1');

    graph.directory.set('users', ann, { proxyAddresses: ['SMTP:ann@example.com', 'smtp:new@example.com'] });
    const second = await sync();
    expect(second).toMatchObject({ state: 'applied', complete: true, mode: 'changes' });
    expect(second.counts).toMatchObject({ read: 1, added: 1, removed: 0 });

    graph.directory.remove('users', ann);
    expect((await sync()).counts).toMatchObject({ added: 0, removed: 2 });
    expect((await sync()).counts).toMatchObject({ read: 0, added: 0, removed: 0 });
  });

  it('is read whole again when its changes are lost, and only what is gone is removed', async () => {
    const gone = graph.directory.addUser('late@example.com');
    expect((await sync()).counts).toMatchObject({ added: 1 });
    graph.delta.reset();
    graph.directory.remove('users', gone);
    const run = await sync();
    expect(run).toMatchObject({ state: 'applied', complete: true, mode: 'full' });
    expect(run.counts).toMatchObject({ read: 251, added: 0, removed: 1 });
  });

  it('can be tried out on the command line', async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const streams = { stdin: process.stdin, stdout, stderr } as unknown as Streams;
    const status = await runCli(['-c', join(folder, 'config.json'), 'source', 'test', 'entra'], streams);
    const out = String(stdout.read() ?? '');
    expect(out).toContain('Source entra, graph');
    expect(out).toContain('permissions User.Read.All, GroupMember.Read.All, OrgContact.Read.All');
    expect(out).toContain('    alias0@example.com  (proxyAddresses)');
    expect(out).toMatch(/0 errors, \d+ warnings?, \d+ well\./);
    expect(status).toBe(0);
  });

  it('removes nobody when the permission is taken away', async () => {
    graph.granted.delete('User.Read.All');
    const run = await sync();
    expect(run.state).toBe('failed');
    expect(run.reasons.join(' ')).toMatch(/needs User\.Read\.All .* grant admin consent/s);
    graph.granted.add('User.Read.All');
    expect((await sync()).counts).toMatchObject({ removed: 0 });
  });
});
