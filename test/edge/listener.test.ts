import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClient, policyAction, policyRequest, smtpAsk, smtpReply } from './client.js';
import { runPolicy, runSmtp } from './edges.js';

describe('connection limits', () => {
  it('tells a client over the limit that the SMTP edge is busy, and serves again when one has left', async () => {
    const { address, edge } = await runSmtp({ maxConnections: 2 });
    const first = await openClient(address);
    const second = await openClient(address);
    await Promise.all([smtpReply(first), smtpReply(second)]);
    const third = await openClient(address);
    expect(await third.rest()).toEqual(['421 4.3.2 Too many connections, try again in a moment']);
    expect(edge.connections()).toBe(2);
    expect(await smtpAsk(first, 'QUIT')).toBe('221 2.0.0 Bye');
    first.close();
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(1);
    const fourth = await openClient(address);
    expect(await smtpReply(fourth)).toEqual(['220 edge.example ESMTP']);
  });

  it('limits the connections of one client apart', async () => {
    const { address } = await runSmtp({ maxConnectionsPerClient: 1 });
    const first = await openClient(address);
    await smtpReply(first);
    const second = await openClient(address);
    expect(await second.rest()).toHaveLength(1);
  });

  it('closes a policy client over the limit without an answer', async () => {
    const { address } = await runPolicy({ maxConnections: 1 });
    const first = await openClient(address);
    first.send(policyRequest({ recipient: 'known@example.com' }));
    expect(await policyAction(first)).toBe('DUNNO');
    const second = await openClient(address);
    expect(await second.rest()).toEqual([]);
  });
});

describe('unix sockets', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rollcall-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('serves on one, with the mode asked for', async () => {
    const path = join(folder, 'policy.sock');
    const { address } = await runPolicy({ listen: [{ path, mode: 0o666 }] });
    expect(statSync(path).mode & 0o777).toBe(0o666);
    const client = await openClient(address);
    client.send(policyRequest({ recipient: 'unknown@example.com' }));
    expect(await policyAction(client)).toMatch(/^550 5\.1\.1 /);
  });

  it('replaces the socket file of a killed process', async () => {
    const path = join(folder, 'stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(statSync(path).isSocket()).toBe(true);
    const { address } = await runPolicy({ listen: [{ path }] });
    const client = await openClient(address);
    client.send(policyRequest({ recipient: 'known@example.com' }));
    expect(await policyAction(client)).toBe('DUNNO');
  });

  it('leaves a socket that somebody serves, and a file that is none', async () => {
    const path = join(folder, 'live.sock');
    const other = createServer().listen(path);
    await new Promise((resolve) => other.once('listening', resolve));
    await expect(runPolicy({ listen: [{ path }] })).rejects.toMatchObject({ code: 'config' });
    expect(statSync(path).isSocket()).toBe(true);
    other.close();
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    await expect(runPolicy({ listen: [{ path: file }] })).rejects.toMatchObject({ code: 'config' });
    expect(statSync(file).size).toBe(8);
  });

  it('says which address it cannot listen on', async () => {
    const { address } = await runSmtp();
    await expect(runSmtp({ listen: [address] })).rejects.toThrow(
      /smtp edge cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/,
    );
  });
});

describe('several addresses', () => {
  it('are one edge', async () => {
    const listen = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0 },
    ];
    const { edge } = await runPolicy({ listen, maxConnections: 1 });
    expect(edge.connections()).toBe(0);
  });
});
