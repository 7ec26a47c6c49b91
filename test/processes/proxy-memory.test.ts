/** The proxy of the product as a process of its own: a message of a gigabyte passes, and memory does not know it. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { lineClient, openClient, smtpAsk, smtpReply } from '../edge/client.js';
import { deferred } from '../support/defer.js';
import { createPki } from '../support/pki.js';
import { createRollcall } from '../support/rollcall.js';

const megabyte = 1_048_576;
const line = `${'x'.repeat(1022)}\r\n`;
const block = Buffer.from(line.repeat(1024));

/** A next hop that takes a message and counts it. */
async function startSink(): Promise<{ port: number; bytes: () => number; close: () => void }> {
  let bytes = 0;
  const server = createServer((socket) => {
    const client = lineClient(socket);
    const say = (text: string) => void socket.write(`${text}\r\n`);
    socket.on('error', () => undefined);
    say('220 sink');
    void (async () => {
      for (;;) {
        const command = await client.line();
        if (command === undefined) return;
        if (command !== 'DATA') {
          say('250 Ok');
          continue;
        }
        socket.removeAllListeners('data');
        say('354 Go');
        let tail = '';
        socket.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5);
          if (tail === '\r\n.\r\n') say('250 2.0.0 Counted');
        });
        return;
      }
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    close: () => {
      server.close();
    },
  };
}

/** `RssAnon` leaves out the files that are mapped, Node itself above all, which it shares with every other Node. */
function residentMb(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
}

describe.skipIf(process.platform !== 'linux')('a message of one gigabyte', () => {
  const defer = deferred();

  /** Node lets short-lived objects fill up to 48 MB before it looks closely; where that matters it can be told otherwise. */
  const small = { NODE_OPTIONS: '--max-semi-space-size=4' };

  it.each([
    ['100 MB of its own', {}, 'RssAnon', 40],
    ['100 MB in all, where Node is told to be small', small, 'VmHWM', 25],
  ] as const)(
    'takes at most %s, and little more than before',
    async (_, env, field, more) => {
      const sink = await startSink();
      defer(sink.close);
      const rollcall = createRollcall(
        {
          domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
          sources: { staff: { kind: 'csv', path: 'staff.csv' } },
          edges: { proxy: { listen: '127.0.0.1:0', nextHops: `127.0.0.1:${sink.port}` } },
        },
        env,
      );
      defer(() => rollcall.remove());
      mkdirSync(rollcall.folder, { recursive: true });
      writeFileSync(join(rollcall.folder, 'staff.csv'), 'email\nknown@example.com\n');
      expect((await rollcall.cli(['sync', 'staff'])).status).toBe(0);
      const edge = await rollcall.start('edge');

      const client = await openClient({ host: '127.0.0.1', port: edge.port('proxy') });
      await smtpReply(client);
      for (const command of ['EHLO c', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA'])
        expect(await smtpAsk(client, command)).toMatch(/^[23]5\d /);
      const before = residentMb(edge.pid, 'VmRSS');
      let most = 0;
      for (let sent = 0; sent < 1024; sent += 1) {
        if (!client.socket.write(block)) await once(client.socket, 'drain');
        most = Math.max(most, residentMb(edge.pid, field));
      }
      expect(await smtpAsk(client, '.')).toBe('250 2.0.0 Counted');
      expect(sink.bytes()).toBe(1024 * megabyte + 3);
      expect(most).toBeLessThanOrEqual(100);
      expect(residentMb(edge.pid, 'VmHWM') - before).toBeLessThanOrEqual(more);
      client.close();
    },
    120_000,
  );
});

describe.skipIf(process.platform !== 'linux')('a message in small TLS records', () => {
  const defer = deferred();

  it('takes little more memory than before', async () => {
    const pki = createPki();
    defer(() => pki.remove());
    const sink = await startSink();
    defer(sink.close);
    const tls = { cert: 'cert.pem', key: 'key.pem' };
    const rollcall = createRollcall({
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: { kind: 'csv', path: 'staff.csv' } },
      edges: { proxy: { listen: '127.0.0.1:0', nextHops: `127.0.0.1:${sink.port}`, tls } },
    });
    defer(() => rollcall.remove());
    mkdirSync(rollcall.folder, { recursive: true });
    writeFileSync(join(rollcall.folder, 'staff.csv'), 'email\nknown@example.com\n');
    writeFileSync(join(rollcall.folder, tls.cert), pki.certificates.server.cert);
    writeFileSync(join(rollcall.folder, tls.key), pki.certificates.server.key, { mode: 0o600 });
    expect((await rollcall.cli(['sync', 'staff'])).status).toBe(0);
    const edge = await rollcall.start('edge');
    const plain = await openClient({ host: '127.0.0.1', port: edge.port('proxy') });
    await smtpReply(plain);
    for (const command of ['EHLO c', 'STARTTLS']) expect(await smtpAsk(plain, command)).toMatch(/^2/);
    plain.socket.removeAllListeners('data');
    const secure = tlsConnect({ socket: plain.socket, ca: pki.ca, host: '127.0.0.1' });
    await once(secure, 'secureConnect');
    const client = lineClient(secure);
    for (const command of ['EHLO c', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA'])
      expect(await smtpAsk(client, command)).toMatch(/^[23]5/);
    const before = residentMb(edge.pid, 'RssAnon');
    let most = 0;
    // one write is one record
    const record = Buffer.from(line.repeat(8));
    for (let sent = 0; sent < 16_384; sent += 1) {
      if (!secure.write(record)) await once(secure, 'drain');
      if (sent % 64 === 0) most = Math.max(most, residentMb(edge.pid, 'RssAnon'));
    }
    expect(await smtpAsk(client, '.')).toBe('250 2.0.0 Counted');
    expect(sink.bytes()).toBe(128 * megabyte + 3);
    expect(most - before).toBeLessThanOrEqual(40);
    client.close();
  }, 60_000);
});
