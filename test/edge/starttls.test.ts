import { connect as tlsConnect } from 'node:tls';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineClient, openClient, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runSmtp } from './edges.js';

let folder = '';
let tls = { cert: '', key: '' };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=edge.example', '-addext', 'subjectAltName=DNS:edge.example'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      .concat(subject)
      .concat(['-keyout', key, '-out', cert]),
    { stdio: 'ignore' },
  );
  tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function upgrade(client: LineClient): Promise<LineClient> {
  client.socket.removeAllListeners('data');
  const secure = tlsConnect({ socket: client.socket, ca: tls.cert, servername: 'edge.example' });
  await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
  return lineClient(secure);
}

describe('STARTTLS', () => {
  it('is offered with a certificate, starts a new conversation, and is not offered again', async () => {
    const { address, edge } = await runSmtp({ tls });
    const plain = await openClient(address);
    await smtpReply(plain);
    plain.send('EHLO c\r\n');
    expect(await smtpReply(plain)).toContain('250 STARTTLS');
    await smtpAsk(plain, 'MAIL FROM:<>');
    expect(await smtpAsk(plain, 'STARTTLS')).toBe('220 2.0.0 Ready to start TLS');
    const client = await upgrade(plain);
    expect(await smtpAsk(client, 'RCPT TO:<known@example.com>')).toBe('503 5.5.1 Send EHLO first');
    client.send('EHLO c\r\n');
    expect(await smtpReply(client)).not.toContain('250 STARTTLS');
    expect(await smtpAsk(client, 'STARTTLS')).toBe('503 5.5.1 TLS is active already');
    await smtpAsk(client, 'MAIL FROM:<>');
    expect(await smtpAsk(client, 'RCPT TO:<unknown@example.com>')).toMatch(/^550 5\.1\.1 /);
    expect(await smtpAsk(client, 'QUIT')).toBe('221 2.0.0 Bye');
    client.close();
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
  });

  it('ignores what was injected in plaintext behind it', async () => {
    const { address } = await runSmtp({ tls });
    const plain = await openClient(address);
    await smtpReply(plain);
    await smtpAsk(plain, 'EHLO c');
    plain.send('STARTTLS\r\nEHLO injected\r\nMAIL FROM:<>\r\n');
    await smtpReply(plain);
    const client = await upgrade(plain);
    expect(await smtpAsk(client, 'RCPT TO:<known@example.com>')).toBe('503 5.5.1 Send EHLO first');
    client.close();
  });

  it('frees the connection when the handshake stalls or is garbage', async () => {
    const { address, edge } = await runSmtp({ tls, idleTimeoutMs: 100 });
    const stalled = await openClient(address);
    const garbage = await openClient(address);
    for (const client of [stalled, garbage]) {
      await smtpReply(client);
      await smtpAsk(client, 'STARTTLS');
    }
    garbage.send('this is no handshake\r\n');
    stalled.socket.resume();
    await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
  });

  it('drains sessions under TLS too', async () => {
    const { address, edge } = await runSmtp({ tls, drainTimeoutMs: 5000 });
    const plain = await openClient(address);
    await smtpReply(plain);
    await smtpAsk(plain, 'STARTTLS');
    const client = await upgrade(plain);
    await smtpAsk(client, 'EHLO c');
    const drained = edge.drain();
    expect(await client.line()).toBe('421 4.3.2 Shutting down, try again in a moment');
    client.close();
    await drained;
  });
});
