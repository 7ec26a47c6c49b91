/** The whole read of a Graph source, against the local Graph: what comes, and when it counts as complete. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GraphClient } from '../../src/source/graph/client.js';
import { collectionsOf } from '../../src/source/graph/collections.js';
import { readDelta } from '../../src/source/graph/delta.js';
import { graphSource, readChanges } from '../support/graph-client.js';
import { fail } from '../support/graph-reply.js';
import { clientId, startGraph, tenantId, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';
import { readWhole } from '../support/read-source.js';

let pki: Pki;
let graph: LocalGraph;
beforeAll(() => {
  pki = createPki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  graph = await startGraph({ pki });
});
afterEach(() => graph.stop());

const everybody = (n: number): string[] => Array.from({ length: n }, (_, i) => `p${i}@example.com`);
function fill(n: number): string[] {
  return everybody(n).map((mail) => graph.directory.addUser(mail));
}
const read = (changes: Parameters<typeof graphSource>[2] = {}): ReturnType<typeof readWhole> =>
  readWhole(graphSource(graph, pki, changes));

describe('what a whole read gives', () => {
  it('gives users, groups and contacts with the addresses of mail', async () => {
    const { directory } = graph;
    const ann = directory.addUser('ann@example.com', ['a.n@example.com']);
    directory.add('groups', { mail: 'sales@example.com', proxyAddresses: ['SMTP:sales@example.com'] });
    directory.add('contacts', { mail: 'bo@example.com' });
    const { entries, report } = await read();
    expect(entries.map(({ kind, addresses }) => [kind, ...addresses.map(({ value }) => value)])).toEqual([
      ['user', 'ann@example.com', 'a.n@example.com'],
      ['group', 'sales@example.com'],
      ['contact', 'bo@example.com'],
    ]);
    expect(entries[0]).toMatchObject({ id: ann, disabled: false, internalOnly: false });
    expect(report).toMatchObject({ complete: true, reasons: [], ownCount: 3 });
    expect(report.description).toBe(
      `${new URL(graph.origin).host} as application ${clientId} in tenant ${tenantId}, 1 users, 1 groups, 1 contacts`,
    );
  });

  it('takes SMTP: and smtp: of proxyAddresses, and none of SIP:, SPO: and X500:', async () => {
    graph.directory.add('users', {
      mail: 'ann@example.com',
      proxyAddresses: [
        'SMTP:ann@example.com',
        'smtp:Anna@example.com',
        'SIP:sip@example.com',
        'SPO:SPO_3b6a@SPO_1f2b',
        'X500:/o=Org/ou=x/cn=ann@example.com',
        'smtp: ann@spaced.example.com',
      ],
    });
    const { addresses, problems } = await read();
    expect(addresses).toEqual(['ann@example.com', 'Anna@example.com', 'ann@spaced.example.com']);
    expect(problems).toEqual([]);
  });

  it('leaves out who has no address: security groups, accounts without a mailbox', async () => {
    graph.directory.add('groups', { displayName: 'Admins' });
    graph.directory.add('users', { userPrincipalName: 'svc@example.com', mail: null, proxyAddresses: [] });
    const { entries, report } = await read();
    expect(entries).toEqual([]);
    expect(report.complete).toBe(true);
    expect(report.description).toContain('1 users, 1 groups, 0 contacts, 2 of them without an address');
  });

  it('takes the sign-in name for an address only when told so', async () => {
    graph.directory.add('users', { userPrincipalName: 'svc@example.com' });
    expect((await read()).addresses).toEqual([]);
    expect((await read({ userPrincipalName: true })).addresses).toEqual(['svc@example.com']);
  });

  it('takes of a guest the addresses that are written, and the sign-in name only when told so', async () => {
    graph.directory.add('users', {
      userType: 'Guest',
      userPrincipalName: 'bo_elsewhere.example#EXT#@contoso.onmicrosoft.com',
      mail: 'bo@elsewhere.example',
      proxyAddresses: ['SMTP:bo@elsewhere.example'],
    });
    expect((await read()).addresses).toEqual(['bo@elsewhere.example']);
    expect((await read({ userPrincipalName: true })).addresses).toEqual([
      'bo@elsewhere.example',
      'bo_elsewhere.example#EXT#@contoso.onmicrosoft.com',
    ]);
  });

  it('asks for exactly the properties needed', async () => {
    await read();
    const first = graph.requests.filter(({ url }) => url.includes('select'));
    expect(first.map(({ url }) => url)).toEqual(
      ['users', 'groups', 'contacts'].map((name) => `/v1.0/${name}/delta?$select=proxyAddresses,mail`),
    );
    graph.requests.length = 0;
    await read({ respectDisabled: true, userPrincipalName: true, include: ['users'] });
    const { url } = graph.requests.find((each) => each.url.includes('select')) ?? { url: '' };
    expect(url).toBe('/v1.0/users/delta?$select=proxyAddresses,mail,userPrincipalName,accountEnabled');
  });

  it('takes a disabled account for a mailbox that may be shared, unless there are none', async () => {
    graph.directory.addUser('shared@example.com', [], { accountEnabled: false });
    expect((await read()).entries.map(({ disabled }) => disabled)).toEqual([false]);
    expect((await read({ respectDisabled: true })).entries.map(({ disabled }) => disabled)).toEqual([true]);
  });

  it('says what is not covered, and what is left out of it', async () => {
    expect((await read()).report.notes).toEqual([expect.stringMatching(/public folders/)]);
    expect((await read({ include: ['users'] })).report.notes).toEqual([
      expect.stringMatching(/public folders/),
      expect.stringMatching(/^groups and contacts are not read/),
    ]);
  });

  it('keeps an entry with a value that cannot be used as a doubtful one', async () => {
    graph.directory.add('users', { mail: 'ann@example.com', proxyAddresses: ['smtp:a@b@example.com'] });
    const { entries, problems } = await read();
    expect(entries).toMatchObject([{ doubtful: true, addresses: [{ value: 'ann@example.com' }] }]);
    expect(problems).toHaveLength(1);
  });
});

describe('pages', () => {
  it('reads on over empty pages, and pages of any size', async () => {
    fill(25);
    graph.delta.pageSize = 7;
    graph.delta.arrange = (pages) => [[], ...pages.flatMap((page) => [page, []])];
    const { addresses, report } = await read();
    expect(addresses).toEqual(everybody(25));
    expect(report.complete).toBe(true);
  });

  it('gives a sign of life with each page, so that a long read keeps its lease', async () => {
    for (let i = 0; i < 9; i += 1) graph.directory.add('groups', { displayName: `Admins ${i}` });
    graph.delta.pageSize = 3;
    const { batches } = await read({ include: ['groups'] });
    expect(batches).toEqual([0, 0, 0]);
  });

  it('counts an object once that comes again, on any page', async () => {
    fill(9);
    graph.delta.pageSize = 3;
    graph.delta.arrange = (pages) => [...pages].reverse().flatMap((page) => [page, page.toReversed()]);
    const { addresses, report } = await read();
    expect(new Set(addresses)).toEqual(new Set(everybody(9)));
    expect(report).toMatchObject({ complete: true, ownCount: 9 });
    expect(report.description).toContain('9 users');
  });

  it('takes no harm from objects that were removed before they were met', async () => {
    const [first = ''] = fill(2);
    graph.directory.purge('users', first);
    graph.delta.arrange = (pages) => [[{ id: first, '@removed': { reason: 'deleted' } }], ...pages];
    const { addresses, report } = await read();
    expect(addresses).toEqual(['p1@example.com']);
    expect(report.complete).toBe(true);
  });

  it('corrects with the next changes what changed while it was read', async () => {
    const [ann = '', bo = '', cy = ''] = fill(6);
    graph.delta.pageSize = 2;
    let isFirst = true;
    graph.delta.beforePage = (_, left) => {
      if (left !== 1 || !isFirst) return;
      isFirst = false;
      graph.directory.set('users', ann, { mail: 'x@example.com', proxyAddresses: ['SMTP:x@example.com'] });
      graph.directory.remove('users', bo);
      graph.directory.set('users', cy, { department: 'not asked for' });
    };
    const { addresses, report } = await read();
    expect(report).toMatchObject({ complete: true, ownCount: 5 });
    expect(addresses).toContain('x@example.com'); // nobody is missing…
    expect(addresses).toContain('p0@example.com'); // …and what was yielded is taken back…
    const { told, report: next } = await readChanges(graphSource(graph, pki), report.cursor ?? '');
    expect(told).toEqual(['entry x@example.com', `gone ${bo}`]); // …here
    const after = await readChanges(graphSource(graph, pki), next.cursor);
    expect(after.told).toEqual([]);
  });

  it.each([
    ['a page without a link', { value: [] }],
    ['a page with two links', { value: [], '@odata.nextLink': '/v1.0/a', '@odata.deltaLink': '/v1.0/b' }],
    ['a page without a list', { '@odata.deltaLink': '/v1.0/b' }],
  ])('refuses %s', async (what, body) => {
    graph.faults.push({ path: /users\/delta/, times: 1, reply: { status: 200, body } });
    await expect(read()).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining(what) as string,
    });
  });

  it.each([1, 2, 3, 7])('refuses pages that lead in a circle of %s', async (length) => {
    for (let at = 0; at < length; at += 1) {
      const link = `${graph.origin}/v1.0/users/delta?$skiptoken=circle${(at + 1) % length}`;
      const reply = { status: 200, body: { value: [{ id: `u${at}` }], '@odata.nextLink': link } };
      const path = new RegExp(`users/delta.*skiptoken=circle${at}$`);
      graph.faults.push({ path, times: Infinity, reply });
      if (at === 0) graph.faults.push({ path: /users\/delta/, times: 1, after: 2, reply });
    }
    fill(300);
    await expect(read()).rejects.toThrow('pages that lead in a circle');
    expect(graph.requests.length).toBeLessThan(10 + 4 * length);
  });

  it('refuses empty pages without end', async () => {
    let asked = 0;
    const json = (): Promise<Record<string, unknown>> => {
      asked += 1;
      return Promise.resolve({ value: [], '@odata.nextLink': `/next/${asked}` });
    };
    const resolve = (link: string): string => link;
    const client = { host: 'graph.example.com', json, resolve } as unknown as GraphClient;
    const [users] = collectionsOf({ include: ['users'], userPrincipalName: false, respectDisabled: false });
    if (users === undefined) throw new Error('no users');
    const pages = readDelta(client, users, '/first', new AbortController().signal);
    const reading = (async () => {
      while ((await pages.next()).done !== true);
    })();
    await expect(reading).rejects.toThrow('more than 10000 empty pages in a row');
    expect(asked).toBe(10_001);
  });

  it('refuses a page that is no JSON, as a proxy answers with', async () => {
    graph.faults.push({ path: /users\/delta/, times: 1, reply: { status: 200, body: '<html>Sign in' } });
    await expect(read()).rejects.toMatchObject({
      code: 'source',
      message: expect.stringMatching(/no JSON/) as string,
    });
  });

  it('carries no token to another host, whatever a link says', async () => {
    const away = `${graph.loginOrigin}/v1.0/users/delta?$skiptoken=x`;
    const reply = { status: 200, body: { value: [], '@odata.nextLink': away } };
    graph.faults.push({ path: /users\/delta/, times: 1, reply });
    await expect(read()).rejects.toMatchObject({ message: expect.stringMatching(/link leads to/) as string });
    expect(
      graph.requests.filter(({ server, method }) => server === 'login' && method === 'GET'),
    ).toHaveLength(1);
  });

  it('fails in words when its first question is refused, which has no state to lose', async () => {
    const reply = fail(400, 'Request_UnsupportedQuery', 'no');
    graph.faults.push({ path: /users\/delta/, times: 1, reply });
    await expect(read()).rejects.toThrow(/the request was refused \(HTTP 400 Request_UnsupportedQuery/);
  });

  it('fails when the directory asks to begin again in the middle, and removes nobody by it', async () => {
    fill(5);
    graph.delta.pageSize = 2;
    const reply = fail(410, 'resyncRequired', 'Resync is required.', {
      Location: `${graph.origin}/v1.0/users/delta`,
    });
    graph.faults.push({ path: /skiptoken/, times: 1, reply });
    await expect(read()).rejects.toMatchObject({
      code: 'source',
      message: expect.stringMatching(/begin the read again/) as string,
    });
  });
});

describe('the count cross-check', () => {
  it('is asked for with ConsistencyLevel: eventual, before and after', async () => {
    await read();
    expect(graph.requests.filter(({ url }) => url.endsWith('/$count'))).toHaveLength(6);
  });

  it('is not complete when the directory counts more than came', async () => {
    fill(3);
    graph.queries.counts.users = 4;
    const { report } = await read();
    expect(report).toMatchObject({
      complete: false,
      reasons: ['the directory counts 4 users, and 3 came'],
      ownCount: 4,
    });
  });

  it('reads the changes at once when the directory counts more, for they may just have been created', async () => {
    fill(3);
    let late: string | undefined;
    graph.delta.beforePage = (collection) => {
      if (collection === 'groups' || late !== undefined) return;
      late = 'late@example.com';
    };
    // created after the last page of users, before the second count
    const { faults } = graph;
    faults.push({ path: /users\/\$count/, times: 1, after: 1, reply: { status: 200, body: '4' } });
    const created = graph.directory;
    graph.delta.beforePage = () => {
      if (
        graph.requests.filter(({ url }) => url.includes('users/$count')).length === 2 &&
        late === undefined
      ) {
        late = 'late@example.com';
        created.addUser(late);
      }
    };
    const { addresses, report } = await read({ include: ['users'] });
    expect(addresses).toContain('late@example.com');
    expect(report).toMatchObject({ complete: true, ownCount: 4 });
  });

  it('holds no address for gone that such changes leave out', async () => {
    const [ann = ''] = fill(3);
    let isFirst = true;
    graph.queries.counts.users = 4; // it is not on the first pages, as where a replica is behind
    graph.delta.arrange = (pages, collection) => {
      if (collection !== 'users') return pages;
      const item = { id: ann, proxyAddresses: ['SMTP:p0@example.com', 'smtp:alias@example.com'] };
      if (isFirst) {
        isFirst = false;
        graph.directory.set('users', ann, item);
        return pages.map((page) => page.filter(({ id }) => id !== ann));
      }
      graph.queries.counts.users = 3;
      return [[{ id: ann, mail: 'p0@example.com' }]];
    };
    const { entries, report } = await read({ include: ['users'] });
    expect(entries.filter(({ id }) => id === ann)).toMatchObject([{ doubtful: true }]);
    expect(report.complete).toBe(true);
    graph.delta.arrange = (pages) => pages;
    const { told } = await readChanges(graphSource(graph, pki, { include: ['users'] }), report.cursor ?? '');
    expect(told).toEqual(['entry p0@example.com, alias@example.com']);
  });

  it('fails in words when it is answered with 410, which is no lost state', async () => {
    graph.faults.push({ path: /\$count/, times: 1, reply: { status: 410, body: '' } });
    await expect(read()).rejects.toMatchObject({ name: 'RollcallError', code: 'source' });
  });

  it('is not complete when far fewer came than were counted at first', async () => {
    fill(3);
    graph.faults.push({ path: /users\/\$count/, times: 1, reply: { status: 200, body: '5000' } });
    const { report } = await read();
    expect(report).toMatchObject({
      complete: false,
      reasons: ['the directory counted 5000 users at first, and 3 came'],
    });
  });

  it('bears with a count that is behind: fewer than came is no doubt', async () => {
    fill(3);
    graph.queries.counts.users = 2;
    expect((await read()).report.complete).toBe(true);
  });

  it('fails on an answer that is no number', async () => {
    graph.faults.push({ path: /\$count/, times: 1, reply: { status: 200, body: 'many' } });
    await expect(read()).rejects.toMatchObject({
      message: expect.stringMatching(/count is no number/) as string,
    });
  });

  it('is not complete when an object has no id', async () => {
    graph.queries.counts.users = 0;
    graph.delta.arrange = () => [[{ mail: 'ann@example.com' }]];
    expect((await read()).report).toMatchObject({
      complete: false,
      reasons: ['3 objects have no readable id'],
    });
  });
});

describe('a stop', () => {
  it('ends the read at the next page, and throws the reason', async () => {
    fill(50);
    graph.delta.pageSize = 5;
    const stop = new AbortController();
    const reading = readWhole(graphSource(graph, pki), {
      signal: stop.signal,
      onBatch: (entries) => {
        if (entries >= 10) stop.abort(new Error('the run was stopped'));
      },
    });
    await expect(reading).rejects.toThrow('the run was stopped');
    expect(graph.requests.filter(({ url }) => url.includes('skiptoken')).length).toBeLessThan(5);
  });
});
