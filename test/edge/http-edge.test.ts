/** GET /v1/verdict on the edge process. */
import { describe, expect, it, vi } from 'vitest';
import type { Verdict } from '../../src/policy/verdict.js';
import { openClient } from './client.js';
import { runHttp, type Running } from './edges.js';
import { recorder, verdictFor } from './fake-decide.js';

interface Got {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function get({ address }: Running, path: string): Promise<Got> {
  if ('path' in address) throw new Error('not on a unix socket');
  const response = await fetch(`http://127.0.0.1:${address.port}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const verdictPath = (options: Record<string, string>) =>
  `/v1/verdict?${Object.entries(options)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;

describe('GET /v1/verdict', () => {
  it('is 200 with the whole verdict, whatever it says', async () => {
    const edge = await runHttp();
    expect(await get(edge, verdictPath({ recipient: 'known@example.com' }))).toEqual({
      status: 200,
      body: {
        action: 'accept',
        code: 250,
        status: '2.1.5',
        text: 'Recipient ok',
        reason: 'known',
        domain: 'example.com',
      },
    });
    expect(await get(edge, verdictPath({ recipient: 'unknown@example.com' }))).toEqual({
      status: 200,
      body: {
        action: 'reject',
        code: 550,
        status: '5.1.1',
        text: 'No such mailbox here (ref K3QX7A)',
        reason: 'unknown',
        reference: 'K3QX7A',
        domain: 'example.com',
      },
    });
    for (const name of ['stale', 'failure', 'broken', 'removed'])
      expect(await get(edge, verdictPath({ recipient: `${name}@example.com` }))).toMatchObject({
        status: 200,
        body: { action: 'defer' },
      });
    const observed = await get(edge, verdictPath({ recipient: 'observed@example.com' }));
    expect(observed.body).toMatchObject({
      action: 'accept',
      wouldBe: { action: 'reject', code: 550, reason: 'unknown' },
    });
  });

  it('asks with what it is told, and tells the witness', async () => {
    const { decide, witness, asked, told } = recorder();
    const edge = await runHttp({ decide, witness });
    const options = { recipient: 'a b@example.com', sender: '', client: '2001:db8::1', form: 'internal' };
    await get(edge, verdictPath(options));
    await get(edge, verdictPath({ recipient: '"grüße +"@example.com' }));
    expect(asked).toEqual([
      { ...options, advisory: true, edge: 'http' },
      {
        recipient: '"grüße +"@example.com',
        form: 'smtp',
        advisory: true,
        sender: undefined,
        client: undefined,
        edge: 'http',
      },
    ]);
    await expect.poll(() => told).toHaveLength(2);
  });

  it('has no opinion on an address without a domain', async () => {
    const { body } = await get(await runHttp({}), verdictPath({ recipient: 'person' }));
    expect(body).toMatchObject({ action: 'reject', reason: 'not-our-domain' });
  });

  it('takes a plus for a plus, as people type it', async () => {
    const { decide, asked } = recorder();
    const edge = await runHttp({ decide });
    await get(edge, '/v1/verdict?recipient=person+news@example.com');
    expect(asked[0]?.recipient).toBe('person+news@example.com');
  });

  it.each([
    ['no recipient', '/v1/verdict'],
    ['an empty one', '/v1/verdict?recipient='],
    ['a misspelt option', '/v1/verdict?recipient=known@example.com&from=a@b'],
    ['one given twice', '/v1/verdict?recipient=unknown@example.com&recipient=known@example.com'],
    ['another form', '/v1/verdict?recipient=known@example.com&form=x'],
    ['broken escapes', '/v1/verdict?recipient=known%4@example.com'],
    ['octets that are no UTF-8', '/v1/verdict?recipient=%ff@example.com'],
    ['a plus in quotes, which may be a space', '/v1/verdict?recipient=%22a+b%22@example.com'],
    ['endless text', `/v1/verdict?recipient=${'x'.repeat(3000)}@example.com`],
  ])('refuses %s, and gives no verdict', async (_, path) => {
    const { decide, asked } = recorder();
    const { status, body } = await get(await runHttp({ decide }), path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'usage' } });
    expect(body).not.toHaveProperty('action');
    expect(asked).toEqual([]);
  });

  it('says neither tenant nor key', async () => {
    const { body } = await get(await runHttp(), verdictPath({ recipient: 'known@example.com' }));
    expect(Object.keys(body)).not.toContain('tenant');
    expect(Object.keys(body)).not.toContain('key');
  });
});

describe('the http edge', () => {
  it('lives, and has nothing else', async () => {
    const edge = await runHttp();
    expect(await get(edge, '/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect((await get(edge, '/v1/recipients/known@example.com')).status).toBe(404);
  });

  it('answers a client that has shut down its side, also when somebody else is asked first', async () => {
    let answer: (verdict: Verdict) => void = () => undefined;
    const confirm = vi.fn(() => new Promise<Verdict>((resolve) => (answer = resolve)));
    const { address } = await runHttp({ confirm });
    const client = await openClient(address);
    client.send(
      'GET /v1/verdict?recipient=unknown@example.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    client.socket.end();
    await vi.waitFor(() => expect(confirm).toHaveBeenCalled());
    answer(verdictFor('known'));
    const lines = await client.rest();
    expect(lines[0]).toBe('HTTP/1.1 200 OK');
    // the body has no line end
    expect(lines.length).toBeGreaterThan(3);
  });

  it('bounds headers, connections and time', async () => {
    const edge = await runHttp({ maxConnections: 1, requestTimeoutMs: 100 });
    const long = await openClient(edge.address);
    long.send(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect((await long.rest())[0]).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    await expect.poll(() => edge.edge.connections()).toBe(0);
    const slow = await openClient(edge.address);
    slow.send('GET /healthz HTTP/1.1\r\n');
    await expect.poll(() => edge.edge.connections()).toBe(1);
    const over = await openClient(edge.address);
    expect(await over.rest()).toEqual([]);
    expect((await slow.rest())[0]).toBe('HTTP/1.1 408 Request Timeout');
  });

  it('drains: answers what was asked, lets silent clients go at once', async () => {
    let answer: (verdict: Verdict) => void = () => undefined;
    const confirm = vi.fn(() => new Promise<Verdict>((resolve) => (answer = resolve)));
    const { address, edge } = await runHttp({ confirm, drainTimeoutMs: 20_000 });
    const silent = await openClient(address);
    const asking = await openClient(address);
    asking.send('GET /v1/verdict?recipient=unknown@example.com HTTP/1.1\r\nHost: x\r\n\r\n');
    await vi.waitFor(() => expect(confirm).toHaveBeenCalled());
    const drained = edge.drain();
    expect(await silent.rest()).toEqual([]);
    answer(verdictFor('known'));
    expect((await asking.rest())[0]).toBe('HTTP/1.1 200 OK');
    await drained;
    await expect.poll(() => edge.connections()).toBe(0);
  });

  it('cuts a connection that asks a hundred things before it has one answer, and no other', async () => {
    const edge = await runHttp({ confirm: () => new Promise<Verdict>(() => undefined) });
    const [greedy, patient] = [await openClient(edge.address), await openClient(edge.address)];
    const ask = 'GET /v1/verdict?recipient=unknown@example.com HTTP/1.1\r\nhost: edge\r\n\r\n';
    patient.send(ask.repeat(99));
    greedy.send(ask.repeat(2000));
    expect(await greedy.rest()).toEqual([]);
    expect(edge.edge.connections()).toBe(1);
    patient.close();
  });
});
