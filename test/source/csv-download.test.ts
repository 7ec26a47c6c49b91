/** Lists downloaded from a real HTTPS server of our own, which misbehaves as real ones do. */
import { createServer, type Server } from 'node:https';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCsvDownload } from '../../src/source/csv/download/download.js';
import type { DownloadOptions } from '../../src/source/csv/download/options.js';
import type { ChangesReport, Source } from '../../src/source/source.js';
import { createPki, type Pki } from '../support/pki.js';
import { readWhole } from '../support/read-source.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let pki: Pki;
let server: Server;
let other: Server;
let handler: Handler;
let otherHandler: Handler;
let requests: IncomingMessage[];
let spoolFolder: string;

async function listen(answer: Handler): Promise<Server> {
  const { cert, key } = pki.certificates.server;
  const made = createServer({ cert, key }, answer).listen(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}
const urlOf = (one: Server, path = '/staff.csv'): string =>
  `https://127.0.0.1:${(one.address() as AddressInfo).port}${path}`;

beforeAll(async () => {
  pki = createPki();
  server = await listen((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  other = await listen((request, response) => {
    requests.push(request);
    otherHandler(request, response);
  });
});
afterAll(() => {
  server.closeAllConnections();
  other.closeAllConnections();
  server.close();
  other.close();
  pki.remove();
});
beforeEach(() => {
  requests = [];
  spoolFolder = mkdtempSync(join(tmpdir(), 'rollcall-spool-'));
});
afterEach(() => rmSync(spoolFolder, { recursive: true, force: true }));

function source(changes: Partial<DownloadOptions> = {}): Source {
  const download: DownloadOptions = {
    url: urlOf(server),
    headers: { Authorization: 'Bearer hunter2' },
    ca: pki.ca,
    proxy: 'none',
    timeoutMs: 10_000,
    maxBytes: 100_000,
    spoolFolder,
    ...changes,
  };
  const reading = { name: 'staff', encoding: 'utf-8', header: 'auto', respectDisabled: false } as const;
  return createCsvDownload(download, { ...reading, maxBadPercent: 10 });
}

const list = 'email\nann@example.com\nbob@example.com\n';

function serving(body: string, headers: Record<string, string> = {}): Handler {
  return (request, response) => {
    const tag = headers['etag'];
    if (tag !== undefined && request.headers['if-none-match'] === tag) {
      response.writeHead(304, { etag: tag }).end();
      return;
    }
    response.writeHead(200, {
      'content-type': 'text/csv',
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  };
}

async function cursorOf(one: Source): Promise<string> {
  const { report } = await readWhole(one);
  if (report.cursor === undefined) throw new Error('no cursor');
  return report.cursor;
}

async function changesOf(one: Source, cursor: string): Promise<ChangesReport> {
  const { signal } = new AbortController();
  const reading = one.changes?.({ signal, problem: () => undefined, progress: () => undefined }, cursor);
  if (reading === undefined) throw new Error('no changes');
  for (;;) {
    const step = await reading.next();
    if (step.done === true) return step.value;
    expect(step.value).toEqual([]);
  }
}

const failure = (one: Source): Promise<unknown> => readWhole(one).catch((error: unknown) => error);

describe('a download', () => {
  it('is a complete list, and leaves nothing on the disk', async () => {
    handler = serving(list, { etag: '"1"' });
    const { addresses, report } = await readWhole(source());
    expect(addresses).toEqual(['ann@example.com', 'bob@example.com']);
    expect(report.complete).toBe(true);
    expect(report.description).toContain(urlOf(server));
    expect(report.cursor).not.toContain('hunter2');
    expect(requests[0]?.headers.authorization).toBe('Bearer hunter2');
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  it('may be packed, and is measured unpacked', async () => {
    const packed = gzipSync(list);
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    expect((await readWhole(source())).report.complete).toBe(true);
    expect(await failure(source({ maxBytes: 20 }))).toMatchObject({
      code: 'input',
      message: expect.stringContaining('larger than 20 bytes') as unknown,
    });
    handler = (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 6));
    expect(await failure(source())).toMatchObject({
      message: expect.stringContaining('broke off') as unknown,
    });
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(list);
    expect(await failure(source())).toMatchObject({
      message: expect.stringContaining('it says that the list is packed') as unknown,
    });
  });

  it('keeps a secret query out of every message and cursor', async () => {
    handler = serving(list);
    const one = source({ secretQuery: 'sig=hunter2' });
    const { report } = await readWhole(one);
    expect(requests[0]?.url).toBe('/staff.csv?sig=hunter2');
    expect(JSON.stringify(report)).not.toContain('hunter2');
    handler = (_request, response) => response.writeHead(403).end();
    expect(String(await failure(one))).not.toContain('hunter2');
  });

  // RFC 9112 §6.3: whatever is not chunked and has no length ends with the connection
  it.each([
    'Connection: close',
    'Transfer-Encoding: identity\r\nConnection: close',
    'Content-Encoding: \r\nConnection: close',
  ])('whose end nothing marks is read, and is no complete list (%j)', async (headers) => {
    handler = (_request, response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${list}`);
    };
    const { addresses, report } = await readWhole(source());
    expect(addresses).toHaveLength(2);
    expect(report.complete).toBe(false);
    expect(report.cursor).toBeUndefined();
    expect(report.reasons.join()).toContain('did not say where the list ends');
  });

  it('is refused when it is a page that asks to sign in', async () => {
    handler = serving('<!DOCTYPE html><html><body>Sign in</body></html>', { 'content-type': 'text/html' });
    expect(await failure(source())).toMatchObject({ code: 'input' });
  });
});

describe('a list asked for again', () => {
  it('costs nothing when its entity tag still stands, and is proved', async () => {
    handler = serving(list, { etag: '"1"' });
    const one = source();
    const report = await changesOf(one, await cursorOf(one));
    expect(report).toMatchObject({ doubts: [], proof: true });
    expect(requests[1]?.headers['if-none-match']).toBe('"1"');
  });

  it('is proved by its bytes where the server has no tag, or always a new one', async () => {
    handler = serving(list);
    const one = source();
    expect(await changesOf(one, await cursorOf(one))).toMatchObject({ doubts: [], proof: true });
  });

  it('is read anew once a day, though the server calls it unchanged', async () => {
    let now = Date.parse('2026-11-22T06:00:00Z');
    const hour = 3_600_000;
    for (const tag of [{ etag: '"1"' }, {}]) {
      handler = serving(list, tag);
      const one = source({ now: () => now });
      const cursor = await cursorOf(one);
      now += 23 * hour;
      const again = await changesOf(one, cursor);
      expect(again).toMatchObject({ doubts: [], proof: true });
      now += hour;
      const asked = requests.length;
      expect(await changesOf(one, again.cursor)).toMatchObject({ proof: false, doubts: [expect.anything()] });
      expect(requests).toHaveLength(asked);
      handler = serving(`${list}cem@example.com\n`, tag);
      expect((await readWhole(one)).addresses).toHaveLength(3);
    }
  });

  it('that has changed comes once, and is read from what came', async () => {
    handler = serving(list, { etag: '"1"' });
    const one = source();
    const cursor = await cursorOf(one);
    handler = serving(`${list}cem@example.com\n`, { etag: '"2"' });
    expect(await changesOf(one, cursor)).toMatchObject({ doubts: ['the list has changed'], proof: false });
    const { addresses, report } = await readWhole(one);
    expect(addresses).toHaveLength(3);
    expect(requests).toHaveLength(2);
    expect(await changesOf(one, report.cursor ?? '')).toMatchObject({ doubts: [], proof: true });
  });

  it('is asked for by its date only when that was long past', async () => {
    const date = 'Sun, 22 Nov 2026 06:00:00 GMT';
    handler = serving(list, { 'last-modified': date, date: 'Sun, 22 Nov 2026 06:00:30 GMT' });
    const one = source();
    await changesOf(one, await cursorOf(one));
    expect(requests[1]?.headers['if-modified-since']).toBeUndefined();
    handler = serving(list, { 'last-modified': date, date: 'Sun, 22 Nov 2026 07:00:00 GMT' });
    await changesOf(one, await cursorOf(one));
    expect(requests[3]?.headers['if-modified-since']).toBe(date);
  });

  it('with a cursor of another address is in doubt, and 304 to nothing is no list', async () => {
    handler = serving(list, { etag: '"1"' });
    const cursor = await cursorOf(source({ url: urlOf(server, '/other.csv') }));
    expect((await changesOf(source(), cursor)).doubts).toHaveLength(1);
    handler = (_request, response) => response.writeHead(304).end();
    expect(await failure(source())).toMatchObject({ code: 'source' });
  });

  it('gives no cursor while it is not complete', async () => {
    handler = serving('email\nann@example.com\nbroken\nbob@example.com\n', { etag: '"1"' });
    const { report } = await readWhole(source());
    expect(report.complete).toBe(false);
    expect(report.cursor).toBeUndefined();
  });
});

describe('a redirect', () => {
  const to =
    (location: string): Handler =>
    (_request, response) =>
      response.writeHead(302, { location }).end('moved');

  it('is followed, and who we are stays at home', async () => {
    handler = to(urlOf(other));
    otherHandler = serving(list);
    expect((await readWhole(source())).addresses).toHaveLength(2);
    expect(requests[1]?.headers.authorization).toBeUndefined();
    otherHandler = (request, response) => to(urlOf(server, '/again'))(request, response);
    handler = (request, response) =>
      request.url === '/again' ? serving(list)(request, response) : to(urlOf(other))(request, response);
    await readWhole(source());
    expect(requests.at(-1)?.url).toBe('/again');
    expect(requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  it('to an unencrypted page is refused, and so is one without end', async () => {
    handler = to('http://127.0.0.1/staff.csv');
    expect(await failure(source())).toMatchObject({
      message: expect.stringContaining('not encrypted') as unknown,
    });
    handler = to(urlOf(server));
    expect(await failure(source())).toMatchObject({
      message: expect.stringContaining('more than 5 redirects') as unknown,
    });
  });
});

describe('a transfer that goes wrong', () => {
  it('names the status and what to do', async () => {
    for (const [status, hint] of [
      [401, 'Authorization'],
      [404, 'curl -v'],
      [503, 'tried again'],
    ] as const) {
      handler = (_request, response) => response.writeHead(status).end('no');
      expect(await failure(source())).toMatchObject({
        code: 'source',
        message: expect.stringContaining(String(status)) as unknown,
        hint: expect.stringContaining(hint) as unknown,
      });
    }
  });

  it('is no list when it breaks off, by length or in the middle of chunks', async () => {
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(list);
      setImmediate(() => response.destroy());
    };
    expect(await failure(source())).toMatchObject({
      code: 'source',
      message: expect.stringContaining('broke off') as unknown,
    });
    handler = (_request, response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n26\r\n${list}`);
    };
    expect(await failure(source())).toMatchObject({ code: 'source' });
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  it('is cut when it is too large, falls silent, drips, or the run stops', async () => {
    handler = serving(list.repeat(10_000));
    expect(await failure(source())).toMatchObject({ message: expect.stringContaining('larger') as unknown });
    handler = (_request, response) => response.writeHead(200, { 'content-length': 1000 }).write(list);
    expect(await failure(source({ idleMs: 100 }))).toMatchObject({
      message: expect.stringContaining('did not answer in time') as unknown,
    });
    handler = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(drip));
    };
    expect(await failure(source({ timeoutMs: 300 }))).toMatchObject({
      message: expect.stringContaining('took longer than') as unknown,
    });
    const stop = new AbortController();
    const stopped = readWhole(source(), { signal: stop.signal }).catch((error: unknown) => error);
    stop.abort(new Error('stopped'));
    expect(await stopped).toMatchObject({ message: 'stopped' });
  });

  it('to a server that cannot prove who it is says which CA to name', async () => {
    handler = serving(list);
    expect(await failure(source({ ca: pki.otherCa }))).toMatchObject({
      code: 'source',
      hint: expect.stringContaining('`ca`') as unknown,
    });
    expect(requests).toHaveLength(0);
  });
});

it('goes through the proxy that is configured', async () => {
  handler = serving(list);
  const tunnels: string[] = [];
  const proxy = createPlainServer().listen(0, '127.0.0.1');
  proxy.on('connect', (request: IncomingMessage, client, head) => {
    tunnels.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connectTcp(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  expect((await readWhole(source({ proxy: `http://127.0.0.1:${port}` }))).report.complete).toBe(true);
  expect(tunnels).toEqual([new URL(urlOf(server)).host]);
  proxy.closeAllConnections();
  proxy.close();
});
