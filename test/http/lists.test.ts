import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpHouse, people } from './http-house.js';

let house: HttpHouse;
let upload: string;

beforeEach(async () => {
  house = await new HttpHouse().start();
  upload = house.token('upload');
});
afterEach(() => house.close());

const list = '/v1/sources/staff/list';

/** Sends the head of an upload and part of its body, by hand. */
async function beginUpload(contentLength: number, part: string): Promise<Socket> {
  const socket = connect(house.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write(
    `PUT ${list} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${upload}\r\nContent-Type: text/csv\r\nContent-Length: ${contentLength}\r\n\r\n${part}`,
  );
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('an uploaded list', () => {
  it('is applied, answers for its addresses, and leaves no file behind', async () => {
    const answer = await house.put(list, upload, people(3));
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      run: 1,
      source: 'staff',
      state: 'applied',
      complete: true,
      counts: { read: 3, added: 3, changed: 0, removed: 0, held: 0, skipped: 0 },
      reasons: [],
    });
    const recipient = await house.ask('GET', '/v1/recipients/u1@acme.example', upload);
    expect(recipient.json).toMatchObject({ action: 'accept', reason: 'known', recipient: 'u1@acme.example' });
    expect(house.spooled()).toEqual([]);
    const runs = await house.ask('GET', '/v1/runs', upload);
    expect(runs.json['runs']).toMatchObject([{ run: 1, kind: 'upload', tenant: 'acme' }]);
    expect(String((runs.json['runs'] as { actor: string }[])[0]?.actor)).toMatch(/^token:upload-/);
  });

  it('that is sent again changes nothing', async () => {
    await house.put(list, upload, people(3));
    expect((await house.put(list, upload, people(3))).json).toMatchObject({ state: 'unchanged' });
  });

  it('with dryRun=1 is planned and changes nothing', async () => {
    const answer = await house.put(`${list}?dryRun=1`, upload, people(3));
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ state: 'planned', counts: { added: 3 } });
    const recipient = await house.ask('GET', '/v1/recipients/u1@acme.example', upload);
    expect(recipient.json).toMatchObject({ action: 'defer', reason: 'never-synced' });
  });

  it.each(['?dryrun=1', '?dryRun=yes', '?dryRun=1&dryRun=0'])(
    'with %s is refused, not applied',
    async (query) => {
      const answer = await house.put(list + query, upload, people(3));
      expect(answer.status).toBe(400);
      expect((await house.ask('GET', '/v1/runs', upload)).json).toEqual({ runs: [], next: null });
    },
  );

  it('over the limit of removals answers 202 and keeps the addresses', async () => {
    await house.put(list, upload, people(100));
    const answer = await house.put(list, upload, people(50));
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ state: 'held', counts: { held: 50, removed: 0 } });
    const recipient = await house.ask('GET', '/v1/recipients/u99@acme.example', upload);
    expect(recipient.json).toMatchObject({ action: 'accept' });
  });

  it.each([
    ['', 'empty'],
    ['<html>no list</html>', 'no list'],
    ['address\nx@other.example\n', 'only addresses of another tenant'],
  ])('%j (%s) is refused with 422', async (text) => {
    const answer = await house.put(list, upload, text);
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ state: 'refused', error: { code: 'input' } });
  });

  it('larger than the limit is refused with 413, whether it says so or not', async () => {
    const large = people(5000);
    const said = await house.put(list, upload, large);
    expect(said.status).toBe(413);
    const chunked = await house.ask('PUT', list, upload, {
      body: new Blob([large]).stream(),
      headers: { 'content-type': 'text/csv' },
      duplex: 'half',
    });
    expect(chunked.status).toBe(413);
    expect(chunked.json).toMatchObject({ error: { code: 'input' } });
    expect(house.spooled()).toEqual([]);
    expect((await house.ask('GET', '/v1/runs', upload)).json).toEqual({ runs: [], next: null });
  });

  it('refused for its size is still read to its end, so that a client that only writes gets to see why', async () => {
    const sending = request({
      port: house.port,
      method: 'PUT',
      path: list,
      headers: {
        authorization: `Bearer ${upload}`,
        'content-type': 'text/csv',
        'transfer-encoding': 'chunked',
      },
    });
    const response = once(sending, 'response') as Promise<[IncomingMessage]>;
    sending.end(Buffer.alloc(16 * 1024 * 1024, 'u@acme.example\n'));
    await once(sending, 'finish');
    const [{ statusCode }] = await response;
    expect(statusCode).toBe(413);
    sending.destroy();
  });

  it('that breaks off leaves no run and no file', async () => {
    const socket = await beginUpload(10_000, people(50));
    await until(() => house.spooled().length === 1);
    socket.destroy();
    await until(() => house.spooled().length === 0);
    expect((await house.ask('GET', '/v1/runs', upload)).json).toEqual({ runs: [], next: null });
  });

  it.each([
    ['application/x-www-form-urlencoded', {}],
    ['multipart/form-data; boundary=x', {}],
    ['text/csv', { 'content-encoding': 'gzip' }],
  ])('as %s %j is refused with 415', async (type, headers) => {
    const answer = await house.ask('PUT', list, upload, {
      body: people(3),
      headers: { 'content-type': type, ...headers },
    });
    expect(answer.status).toBe(415);
    expect(answer.json).toMatchObject({ error: { code: 'usage' } });
  });

  it('is the third at a time: 429, until one has ended', async () => {
    const sockets = [await beginUpload(10_000, 'address\n'), await beginUpload(10_000, 'address\n')];
    await until(() => house.spooled().length === 2);
    expect((await house.put(list, upload, people(3))).status).toBe(429);
    for (const socket of sockets) socket.destroy();
    await until(() => house.spooled().length === 0);
    expect((await house.put(list, upload, people(3))).status).toBe(200);
  });
});
