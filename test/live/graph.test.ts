/** Confirm on a miss at a Graph: who is new, and what one that throttles, fails or refuses us costs the next question. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { openLive, type Live } from '../../src/compose/live.js';
import { parseConfig } from '../../src/config/load.js';
import type { Entry } from '../../src/source/source.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { eventually } from '../support/eventually.js';
import { fail } from '../support/graph-reply.js';
import { secret, startGraph, throttled, unavailable, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';

let pki: Pki;
let folder: string;
let graph: LocalGraph;
let live: Live;
let claimed: string[] = [];
beforeAll(() => {
  pki = createPki();
  folder = mkdtempSync(join(tmpdir(), 'rollcall-throttled-'));
  writeFileSync(join(folder, 'ca.pem'), pki.ca);
});
afterAll(() => {
  pki.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  // what counts pauses; sockets and deadlines run as they do
  vi.useFakeTimers({ toFake: ['performance'] });
  writeFileSync(join(folder, 'secret'), secret);
  graph = await startGraph({ pki });
  claimed = [];
  live = open();
});
afterEach(async () => {
  await live.close();
  await graph.stop();
  vi.useRealTimers();
});

function open(): Live {
  const json = {
    domains: { 'example.com': { mode: 'enforce', sources: ['entra'] } },
    sources: {
      entra: {
        kind: 'graph',
        tenantId: graph.application.tenantId,
        clientId: graph.application.clientId,
        clientSecret: { file: 'secret' },
        endpoints: { login: graph.loginOrigin, graph: graph.origin },
        ca: 'ca.pem',
        proxy: 'none',
        confirm: { timeout: '10s' },
      },
    },
  };
  const parsed = parseConfig(JSON.stringify(json), { file: join(folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const claim = (source: string, entries: readonly Entry[]): Promise<void> => {
    claimed.push(...entries.map(({ id }) => `${source} ${id}`));
    return Promise.resolve();
  };
  return openLive({ config: parsed.config, log: silentLogger(), claim });
}

let asked = 0;
/** About somebody who is not there. */
async function ask(): Promise<string> {
  asked += 1;
  return (await live.ask({ source: 'entra', address: `h${String(asked)}@example.com`, look: false })).kind;
}

const searches = (): number => graph.requests.filter(({ url }) => url.includes('$filter')).length;
const tokens = (): number => graph.requests.filter(({ method }) => method === 'POST').length;

it('somebody new is found by each of his addresses, and claimed', async () => {
  const id = graph.directory.addUser('grace@example.com', ['g.h@example.com']);
  for (const address of ['g.h@example.com', 'Grace@example.com'])
    expect(await live.ask({ source: 'entra', address, look: false })).toMatchObject({ kind: 'found' });
  await eventually(
    () => claimed,
    (ids) => ids.length > 0,
  );
  expect(claimed).toEqual([`entra ${id}`]);
});

it.each([
  ['throttled', throttled()],
  ['failing', unavailable],
  ['cut off', 'reset' as const],
  ['not understanding a question', fail(400, 'Request_UnsupportedQuery', 'no')],
])('one that is %s is asked again with the token that there is', async (_, reply) => {
  graph.faults.push({ path: /contacts\?/, times: 1, reply });
  expect(await ask()).toBe('no-answer');
  expect(await ask()).toBe('not-found');
  expect(tokens()).toBe(1);
});

it('one that says for how long it throttles is left alone so long, at the first time', async () => {
  graph.faults.push({ path: /users\?/, times: 1, reply: throttled(30) });
  expect(await ask()).toBe('no-answer');
  const before = searches();
  vi.advanceTimersByTime(29_900);
  expect(await ask()).toBe('no-answer');
  expect(searches()).toBe(before);
  vi.advanceTimersByTime(200);
  expect(await ask()).toBe('not-found');
  expect(tokens()).toBe(1);
});

it('a token service that throttles is left alone as well', async () => {
  const reply = throttled(3600);
  graph.faults.push({ path: /oauth2\/v2.0\/token/, times: 99, reply });
  expect(await ask()).toBe('no-answer');
  expect(await ask()).toBe('no-answer');
  expect({ tokens: tokens(), searches: searches() }).toEqual({ tokens: 1, searches: 0 });
});

it('a token service that is too busy for a moment is asked again by the application that there is', async () => {
  const body = { error: 'temporarily_unavailable', error_description: 'AADSTS90033: A transient error.' };
  graph.faults.push({ path: /oauth2\/v2.0\/token/, times: 1, reply: { status: 400, body } });
  expect(await ask()).toBe('no-answer');
  expect(await ask()).toBe('not-found');
  const metadata = graph.requests.filter(({ url }) => url.includes('openid-configuration'));
  expect({ tokens: tokens(), metadata: metadata.length }).toEqual({ tokens: 2, metadata: 1 });
});

it('one that refuses the secret is asked with the new one, without a restart', async () => {
  writeFileSync(join(folder, 'secret'), 'wrong');
  expect(await ask()).toBe('no-answer');
  writeFileSync(join(folder, 'secret'), secret);
  expect(await ask()).toBe('not-found');
});

it('a permission that was granted since counts with the next question', async () => {
  graph.granted.delete('OrgContact.Read.All');
  expect(await ask()).toBe('no-answer');
  graph.granted.add('OrgContact.Read.All');
  expect(await ask()).toBe('not-found');
  expect(tokens()).toBe(2);
});
