/** STARTTLS of the proxy, with clients and with next hops. */
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NextHopTlsOptions } from '../../src/edge/proxy/proxy-edge.js';
import { createPki, type Pki } from '../support/pki.js';
import { lineClient, openClient, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runProxy } from './edges.js';
import { runHop, type HopScript } from './fake-hop.js';

let pki: Pki;
beforeAll(() => {
  pki = createPki();
});
afterAll(() => pki.remove());

const queued = '250 2.0.0 Ok: queued as FAKE';
const message = ['EHLO c', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA', 'x\r\n.'];

async function askAll(client: LineClient, commands: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const command of commands) answers.push(await smtpAsk(client, command));
  return answers;
}

async function upgrade(client: LineClient): Promise<LineClient & { readonly socket: TLSSocket }> {
  client.socket.removeAllListeners('data');
  const secure = tlsConnect({ socket: client.socket, ca: pki.ca, host: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
  return { ...lineClient(secure), socket: secure };
}

describe('STARTTLS with the client', () => {
  async function house(script: HopScript = {}) {
    const hop = await runHop(script);
    const { server } = pki.certificates;
    const running = await runProxy({ nextHops: [hop.target], tls: server });
    const client = await openClient(running.address);
    await smtpReply(client);
    return { ...running, hop, client };
  }

  it('is offered, begins the conversation anew, and carries a message of any size', async () => {
    const { client, hop, edge } = await house();
    client.send('EHLO c\r\n');
    expect(await smtpReply(client)).toContain('250 XCLIENT NAME ADDR PORT PROTO HELO');
    await smtpAsk(client, 'MAIL FROM:<>');
    expect(await smtpAsk(client, 'STARTTLS')).toBe('220 2.0.0 Ready to start TLS');
    const secure = await upgrade(client);
    await expect.poll(() => hop.commands.at(-1), { timeout: 10_000 }).toBe('RSET');
    expect(await smtpAsk(secure, 'MAIL FROM:<>')).toBe('503 5.5.1 Send EHLO first');
    secure.send('EHLO c\r\n');
    expect((await smtpReply(secure)).join()).not.toContain('STARTTLS');
    expect(await smtpAsk(secure, 'STARTTLS')).toBe('503 5.5.1 TLS is active already');
    await askAll(secure, message.slice(1, 4));
    secure.send(`${'x'.repeat(998)}\r\n`.repeat(5000));
    expect(await smtpAsk(secure, '.')).toBe(queued);
    expect(hop.bytes()).toBe(5_000_003);
    expect(await smtpAsk(secure, 'QUIT')).toBe('221 2.0.0 Bye');
    secure.close();
    await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
    await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
  });

  it('is refused when plaintext comes behind it', async () => {
    const { client, hop } = await house();
    await smtpAsk(client, 'EHLO c');
    client.send('STARTTLS\r\nMAIL FROM:<evil@example.com>\r\n');
    expect(await client.rest()).toEqual(['554 5.5.1 Nothing may follow STARTTLS before TLS, closing']);
    expect(hop.commands.join()).not.toContain('evil');
    client.close();
  });

  it('frees everything when the handshake fails', async () => {
    const { client, hop, edge } = await house();
    await askAll(client, ['EHLO c', 'STARTTLS']);
    client.send('this is no handshake\r\n');
    client.socket.resume();
    await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
    await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
  });

  it('takes a new certificate for the sessions from then on', async () => {
    const { client, address, edge } = await house();
    await askAll(client, ['EHLO c', 'STARTTLS']);
    const before = (await upgrade(client)).socket.getPeerCertificate().subject.CN;
    const { wrong } = pki.certificates;
    edge.setTls(wrong);
    expect(() => edge.setTls({ cert: wrong.cert, key: pki.certificates.server.key })).toThrow();
    const next = await openClient(address);
    await smtpReply(next);
    await askAll(next, ['EHLO c', 'STARTTLS']);
    next.socket.removeAllListeners('data');
    const secure = tlsConnect({ socket: next.socket, rejectUnauthorized: false });
    await new Promise((resolve) => secure.once('secureConnect', resolve));
    expect([before, secure.getPeerCertificate().subject.CN]).toEqual(['server', 'wrong']);
    for (const each of [client.socket, secure]) each.destroy();
  });
});

describe('STARTTLS with the next hop', () => {
  async function send(script: HopScript, nextHopTls?: NextHopTlsOptions) {
    const hop = await runHop(script);
    const { address } = await runProxy({ nextHops: [hop.target], ...(nextHopTls && { nextHopTls }) });
    const client = await openClient(address);
    await smtpReply(client);
    const [hello = ''] = await askAll(client, message.slice(0, 1));
    const last = hello.startsWith('250') ? (await askAll(client, message.slice(1))).at(-1) : hello;
    client.close();
    return { hop, last };
  }
  const none = expect.stringMatching(/^421 4\.4\.1 /) as string;
  const secured = ['EHLO edge.example', 'STARTTLS', 'EHLO edge.example', 'MAIL FROM:<>'];

  it('is used when it is offered, with any certificate', async () => {
    const { hop, last } = await send({ tls: pki.certificates.expired });
    expect(last).toBe(queued);
    expect(hop.commands.slice(0, 4)).toEqual(secured);
    expect(hop.total()).toBe(1);
  });

  it('is not used when it is off, or not offered, or fails, unless it is required', async () => {
    const off = await send({ tls: pki.certificates.server }, { mode: 'off' });
    expect([off.last, off.hop.commands.includes('STARTTLS')]).toEqual([queued, false]);
    const absent = await send({}, { mode: 'opportunistic' });
    expect(absent.last).toBe(queued);
    const fails = await send({ tls: pki.certificates.server }, { mode: 'opportunistic', verify: true });
    expect(fails.last).toBe(queued);
    expect(fails.hop.total()).toBe(2);
    const refused: HopScript = {
      features: ['STARTTLS'],
      reply: (command) => (command === 'STARTTLS' ? '454 4.7.0 Not now' : undefined),
    };
    expect((await send(refused)).last).toBe(queued);
    for (const script of [{}, refused]) expect((await send(script, { mode: 'required' })).last).toEqual(none);
  });

  it('when required wants the right certificate for the right name', async () => {
    const { server, wrong, expired } = pki.certificates;
    const required = { mode: 'required', ca: pki.ca } as const;
    expect((await send({ tls: server }, required)).last).toBe(queued);
    expect((await send({ tls: server }, { ...required, servername: 'mx.example.com' })).last).toBe(queued);
    expect((await send({ tls: wrong }, { ...required, servername: 'other.invalid' })).last).toBe(queued);
    for (const tls of [wrong, expired]) expect((await send({ tls }, required)).last).toEqual(none);
    expect((await send({ tls: server }, { ...required, ca: pki.otherCa })).last).toEqual(none);
    expect((await send({ tls: server }, { ...required, servername: 'other.invalid' })).last).toEqual(none);
    expect((await send({ tls: wrong }, { ...required, verify: false })).last).toBe(queued);
  });

  it('fails when something was said in plaintext behind its reply', async () => {
    const script = { tls: pki.certificates.server, injected: '250 injected\r\n' };
    const { last, hop } = await send(script, { mode: 'required', ca: pki.ca });
    expect(last).toEqual(none);
    expect(hop.commands).not.toContain('MAIL FROM:<>');
  });
});
