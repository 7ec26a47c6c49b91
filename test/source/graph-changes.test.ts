/** The changes of a Graph source, and its single look-ups, against the local Graph. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, graphSource, readChanges, type AllChanges } from '../support/graph-client.js';
import { fail } from '../support/graph-reply.js';
import { startGraph, throttled, unavailable, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';
import { fc } from '../support/property.js';
import { readWhole } from '../support/read-source.js';

let pki: Pki;
let graph: LocalGraph;
let clock: FakeClock;
let cursor = '';
let ann = '';
beforeAll(() => {
  pki = createPki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  clock = new FakeClock();
  graph = await startGraph({ pki, now: clock.now });
  ann = graph.directory.addUser('ann@example.com', ['a@example.com']);
  graph.directory.addUser('bo@example.com');
  cursor = (await readWhole(graphSource(graph, pki, {}, clock))).report.cursor ?? '';
  graph.requests.length = 0;
});
afterEach(() => graph.stop());

const changes = (from = cursor): Promise<AllChanges> => readChanges(graphSource(graph, pki, {}, clock), from);
const rereads = (): number => graph.requests.filter(({ url }) => url.includes('id%20in')).length;

describe('changes since a cursor', () => {
  it('are none when nothing has changed, at the cost of one question a collection', async () => {
    const { told, report } = await changes();
    expect(told).toEqual([]);
    expect(report).toMatchObject({ doubts: [], proof: true });
    expect(graph.requests.filter(({ server }) => server === 'graph')).toHaveLength(3);
  });

  it('are new, changed, removed and restored objects', async () => {
    const { directory } = graph;
    const group = directory.add('groups', {
      mail: 'new@example.com',
      proxyAddresses: ['SMTP:new@example.com'],
    });
    directory.set('users', ann, { proxyAddresses: ['SMTP:ann@example.com'] });
    const first = await changes();
    expect(first.told).toEqual(['entry ann@example.com', 'entry new@example.com']);

    directory.remove('users', ann);
    directory.purge('groups', group);
    const second = await changes(first.report.cursor);
    expect(second.told).toEqual([`gone ${ann}`, `gone ${group}`].sort());

    directory.restore('users', ann);
    const third = await changes(second.report.cursor);
    expect(third.told).toEqual(['entry ann@example.com']);
    expect(third.report).toMatchObject({ doubts: [], proof: true });
  });

  it('are told when the last address goes', async () => {
    graph.directory.set('users', ann, { mail: null, proxyAddresses: [] });
    expect((await changes()).told).toEqual(['entry ']);
  });

  it('are not told for properties that mean nothing here', async () => {
    graph.directory.set('users', ann, { department: 'Sales' });
    expect((await changes()).told).toEqual([]);
  });

  it('can be told again from the same cursor, as after a run that failed', async () => {
    graph.directory.set('users', ann, { mail: 'x@example.com' });
    expect((await changes()).told).toEqual((await changes()).told);
  });

  it('are followed over empty pages to the deltaLink, which is the next cursor', async () => {
    for (let i = 0; i < 5; i += 1) graph.directory.addUser(`p${i}@example.com`);
    graph.delta.pageSize = 2;
    graph.delta.arrange = (pages) => [[], ...pages.flatMap((page) => [[], page])];
    const { told, report } = await changes();
    expect(told).toHaveLength(5);
    expect(report.cursor).not.toBe(cursor);
    expect((await changes(report.cursor)).told).toEqual([]);
  });
});

describe('an object that a page tells a part of', () => {
  const partly = (...names: string[]): void => {
    graph.delta.arrange = (pages) =>
      pages.map((page) =>
        page.map((item) =>
          Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name))),
        ),
      );
  };

  it('is read again: what did not come is not empty', async () => {
    graph.directory.set('users', ann, { mail: 'ann@new.example.com' });
    partly('proxyAddresses');
    expect((await changes()).told).toEqual(['entry ann@example.com, a@example.com, ann@new.example.com']);
    expect(rereads()).toBe(1);
  });

  it('counts as the page told it, where the replica that is asked is behind', async () => {
    const proxyAddresses = ['SMTP:ann@example.com', 'smtp:new@example.com'];
    graph.directory.replica.set(ann, { mail: 'ann@example.com', proxyAddresses: ['SMTP:ann@example.com'] });
    graph.directory.set('users', ann, { proxyAddresses });
    partly('mail');
    expect((await changes()).told).toEqual(['entry ann@example.com, new@example.com']);
  });

  it('is doubtful while it cannot be read, and is read again with the next changes', async () => {
    const cy = graph.directory.addUser('cy@example.com', ['c@example.com']);
    graph.directory.replica.set(cy, undefined);
    partly('mail');
    const first = await changes();
    expect(first.changes).toMatchObject([{ kind: 'entry', entry: { id: cy, doubtful: true } }]);
    expect(first.report).toMatchObject({ doubts: [], proof: false });
    graph.directory.replica.clear();
    const second = await changes(first.report.cursor);
    expect(second.told).toEqual(['entry cy@example.com, c@example.com']);
    expect(second.changes[0]).not.toHaveProperty('entry.doubtful');
  });

  it('is a doubt when it is not to be seen for longer, never a removal', async () => {
    const cy = graph.directory.addUser('cy@example.com');
    graph.directory.replica.set(cy, undefined);
    partly('mail');
    const first = await changes();
    const second = await changes(first.report.cursor);
    expect(second.told).toEqual([]);
    expect(second.report.doubts).toEqual([expect.stringContaining('is not to be seen any more')]);
    expect(second.report).toMatchObject({ proof: false, cursor: first.report.cursor });
  });

  it('is a doubt when it cannot be asked for by its id', async () => {
    graph.directory.set('users', ann, { mail: 'ann@new.example.com' });
    partly('proxyAddresses');
    const reply = fail(400, 'Request_UnsupportedQuery', 'Unsupported query.');
    graph.faults.push({ path: /id%20in/, times: 1, reply });
    const { told, report } = await changes();
    expect(told).toEqual([]);
    expect(report.doubts).toEqual([
      expect.stringMatching(/^users cannot be read by their ids: .*Unsupported/),
    ]);
    expect(report.cursor).toBe(cursor);
  });

  it.each([
    ['a page of a longer answer', { '@odata.nextLink': 'https://localhost/v1.0/users?$skiptoken=x' }, []],
    ['an object without an id', {}, [{ mail: 'ann@example.com' }]],
  ])('is not held for gone because of %s', async (_, rest, value) => {
    graph.directory.set('users', ann, { mail: 'ann@example.com' });
    graph.delta.arrange = (pages) => [...pages, [{ id: ann, '@removed': { reason: 'changed' } }]];
    const first = await changes(); // to be read again, and gone when it is not there
    graph.delta.arrange = (pages) => pages;
    graph.faults.push({ path: /id%20in/, times: 1, reply: { status: 200, body: { value, ...rest } } });
    const { told, report } = await changes(first.report.cursor);
    expect(told).toEqual([]);
    expect(report.doubts).toEqual([expect.stringContaining('it answers with others')]);
  });

  it('is read with fifteen others at a time', async () => {
    for (let i = 0; i < 40; i += 1) graph.directory.addUser(`p${i}@example.com`);
    partly('mail');
    expect((await changes()).told).toHaveLength(40);
    expect(rereads()).toBe(3);
  });
});

it('gives a sign of life with each page, so that a long read keeps its lease', async () => {
  for (let i = 0; i < 5; i += 1) graph.directory.addUser(`p${i}@example.com`);
  graph.delta.pageSize = 1;
  const context = {
    signal: new AbortController().signal,
    problem: () => undefined,
    progress: () => undefined,
  };
  const reading = graphSource(graph, pki, {}, clock).changes?.(context, cursor);
  const first = await reading?.next();
  expect(first).toEqual({ done: false, value: [] });
  expect(graph.requests.filter(({ url }) => url.includes('/delta'))).toHaveLength(1);
  await reading?.return({ doubts: [], cursor, proof: false, description: '' });
});

describe('an object that comes twice', () => {
  const again = (item: (id: string) => Record<string, unknown>, first = false): void => {
    graph.delta.arrange = (pages, collection) => {
      if (collection !== 'users') return pages;
      return first ? [[item(ann)], ...pages] : [...pages, [item(ann)]];
    };
  };

  it('is told once when it is the same', async () => {
    graph.directory.set('users', ann, { mail: 'x@example.com' });
    graph.delta.arrange = (pages) => [...pages, ...pages];
    expect((await changes()).told).toHaveLength(1);
    expect(rereads()).toBe(0);
  });

  it.each([
    ['an older state that comes last', false],
    ['an older state that comes first', true],
  ])('is as the directory says when asked, whatever the order: %s', async (_, first) => {
    graph.directory.set('users', ann, { mail: 'x@example.com', proxyAddresses: ['SMTP:x@example.com'] });
    again((id) => ({ id, mail: 'ann@example.com', proxyAddresses: ['SMTP:ann@example.com'] }), first);
    const { told, report } = await changes();
    expect(told).toEqual(['entry x@example.com']);
    graph.delta.arrange = (pages) => pages;
    expect((await changes(report.cursor)).told).toEqual(['entry x@example.com']); // once more, then never again
  });

  it('is not gone because of a removal that is out of date', async () => {
    graph.directory.set('users', ann, { mail: 'ann@example.com' });
    again((id) => ({ id, '@removed': { reason: 'changed' } }));
    expect((await changes()).told).toEqual(['entry ann@example.com, a@example.com']);
  });

  it('is gone when a removal was told, and it is not there in the next round either', async () => {
    graph.directory.remove('users', ann);
    again((id) => ({ id, mail: 'ann@example.com', proxyAddresses: [] }));
    const first = await changes();
    expect(first.changes).toMatchObject([{ kind: 'entry', entry: { id: ann, doubtful: true } }]);
    graph.delta.arrange = (pages) => pages;
    expect((await changes(first.report.cursor)).told).toEqual([`gone ${ann}`]);
  });

  it.each([
    ['first', true],
    ['last', false],
  ])(
    'is not gone when it was restored, its removal told %s, and not every replica has it yet',
    async (_, first) => {
      graph.directory.set('users', ann, { mail: 'ann@example.com' });
      graph.directory.replica.set(ann, undefined);
      again((id) => ({ id, '@removed': { reason: 'changed' } }), first);
      const { changes: told, report } = await changes();
      expect(told).toMatchObject([
        { kind: 'entry', entry: { id: ann, doubtful: true, addresses: [{ value: 'ann@example.com' }, {}] } },
      ]);
      graph.directory.replica.clear();
      graph.delta.arrange = (pages) => pages;
      expect((await changes(report.cursor)).told).toEqual(['entry ann@example.com, a@example.com']);
    },
  );

  it('is gone at once when both are removals: into the bin, and out of it for good', async () => {
    graph.directory.purge('users', ann);
    again((id) => ({ id, '@removed': { reason: 'changed' } }), true);
    expect((await changes()).told).toEqual([`gone ${ann}`]);
    expect(rereads()).toBe(0);
  });
});

describe('a cursor that is good for nothing', () => {
  it('is a doubt after seven days (syncStateNotFound)', async () => {
    clock.time += 8 * 86_400_000;
    const { told, report } = await changes();
    expect(told).toEqual([]);
    expect(report.doubts).toEqual(['the changes of users are lost (syncStateNotFound)']);
    expect(report).toMatchObject({ proof: false, cursor });
  });

  it('is a doubt when the directory asks to begin again (410 with Location)', async () => {
    graph.directory.remove('users', ann);
    graph.delta.reset();
    const { told, report } = await changes();
    expect(told).toEqual([]);
    expect(report.doubts).toEqual(['the changes of users are lost (resyncRequired)']);
  });

  it.each([
    ['410 without a code', { status: 410, body: '' }, 'HTTP 410'],
    [
      'a code within',
      { status: 400, body: { error: { code: 'invalidRequest', innererror: { code: 'resyncRequired' } } } },
      'resyncRequired',
    ],
  ])('is a doubt: %s', async (_, reply, code) => {
    graph.faults.push({ path: /groups\/delta/, times: 1, reply });
    expect((await changes()).report.doubts).toEqual([`the changes of groups are lost (${code})`]);
  });

  it.each([
    [
      '400 with another code',
      fail(400, 'Directory_ExpiredPageToken', 'has expired'),
      'Directory_ExpiredPageToken',
    ],
    [
      '400 that calls it badly formed',
      fail(400, 'Request_BadRequest', 'Badly formed token.'),
      'Request_BadRequest',
    ],
    ['404', fail(404, 'Request_ResourceNotFound', ''), 'Request_ResourceNotFound'],
  ])('is a doubt, whatever the code (“error codes such as”): %s', async (_, reply, code) => {
    graph.faults.push({ path: /users\/delta/, times: 1, reply });
    expect((await changes()).report.doubts).toEqual([`the changes of users are lost (${code})`]);
  });

  it('is an error when it is the permission that is missing', async () => {
    graph.granted.delete('User.Read.All');
    await expect(changes()).rejects.toMatchObject({ code: 'source' });
  });

  it.each([
    ['is no cursor', (): string => 'x', 'cannot be read'],
    ['is of another tenant', (): string => cursor.replace('3b6a', '4c7b'), 'of another tenant'],
    ['lacks a collection', (): string => cursor.replace('"groups"', '"others"'), 'has no link for groups'],
    [
      'leads to another host',
      (): string => cursor.replaceAll(new URL(graph.origin).host, 'evil.example.com'),
      'has no link for users',
    ],
  ])('is a doubt when it %s', async (_, text, doubt) => {
    const { report } = await changes(text());
    expect(report.doubts[0]).toContain(doubt);
    expect(graph.requests).toEqual([]);
  });
});

describe('throttling and faults', () => {
  it('bears with being throttled for a minute, and waits as long as it is told', async () => {
    graph.directory.addUser('cy@example.com');
    graph.faults.push({ path: /users\/delta/, times: 6, reply: throttled(10) });
    const before = clock.time;
    expect((await changes()).told).toEqual(['entry cy@example.com']);
    expect(clock.time - before).toBeGreaterThanOrEqual(60_000);
    expect(clock.slept.filter((ms) => ms >= 10_000)).toHaveLength(6);
    expect(graph.requests.filter(({ url }) => url.includes('users/delta'))).toHaveLength(7);
  });

  it('bears with it as well when it is told to come back in a second, again and again', async () => {
    const until = clock.time + 60_000;
    const reply = throttled(1);
    graph.faults.push({
      path: /users\/delta/,
      reply,
      get times() {
        return clock.time > until ? 0 : 1;
      },
      set times(_) {
        // throttled until then, however often it is asked
      },
    });
    expect((await changes()).report.proof).toBe(true);
    expect(Math.min(...clock.slept)).toBeGreaterThanOrEqual(1000);
    expect(clock.slept.length).toBeLessThan(10);
  });

  it('waits until the date that Retry-After gives', async () => {
    const reply = throttled(new Date(Math.ceil(clock.time / 1000) * 1000 + 30_000).toUTCString());
    graph.faults.push({ path: /users\/delta/, times: 1, reply });
    await changes();
    expect(clock.slept[0]).toBeGreaterThanOrEqual(30_000);
  });

  it.each([
    ['429 without Retry-After', throttled()],
    ['503', unavailable],
    ['504', fail(504, 'UnknownError', '')],
    ['500', fail(500, 'generalException', '')],
  ])('backs off, longer each time: %s', async (_, reply) => {
    graph.faults.push({ path: /users\/delta/, times: 5, reply });
    await changes();
    expect(clock.slept).toEqual([750, 1500, 3000, 6000, 12_000]);
  });

  it('waits as long as a service asks that is not throttling but down', async () => {
    const reply = { ...unavailable, headers: { 'Retry-After': '120' } };
    graph.faults.push({ path: /users\/delta/, times: 1, reply });
    await changes();
    expect(clock.slept[0]).toBeGreaterThanOrEqual(120_000);
  });

  it('gives up in the end, in words', async () => {
    graph.faults.push({ path: /users\/delta/, times: 99, reply: throttled(200) });
    await expect(changes()).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('the tenant is throttled (HTTP 429') as string,
    });
    expect(clock.slept.length).toBeLessThan(6);
  });

  it('tries a connection that was cut again, three times', async () => {
    graph.faults.push({ path: /users\/delta/, times: 3, reply: 'reset' });
    expect((await changes()).report.proof).toBe(true);
    graph.faults.push({ path: /users\/delta/, times: 99, reply: 'reset' });
    await expect(changes()).rejects.toMatchObject({
      message: expect.stringContaining('the connection was closed') as string,
    });
  });
});

describe('a single look-up', () => {
  async function find(address: string): Promise<string[]> {
    const source = graphSource(graph, pki, {}, clock);
    try {
      const entries = await source.find?.(address, { signal: new AbortController().signal });
      return (entries ?? []).map(({ id }) => id);
    } finally {
      await source.close?.();
    }
  }

  it('finds primary addresses and aliases of users, groups and contacts, whatever the case', async () => {
    const { directory } = graph;
    const group = directory.add('groups', { mail: 'g@example.com', proxyAddresses: ['SMTP:g@example.com'] });
    const contact = directory.add('contacts', { mail: 'c@example.com' });
    expect(await find('A@Example.com')).toEqual([ann]);
    expect(await find('ann@example.com')).toEqual([ann]);
    expect(await find('g@example.com')).toEqual([group]);
    expect(await find('c@example.com')).toEqual([contact]);
    expect(await find('nobody@example.com')).toEqual([]);
  });

  it('finds an address with a quote, and is not led astray by one', async () => {
    const oneil = graph.directory.addUser("o'neil@example.com");
    expect(await find("o'neil@example.com")).toEqual([oneil]);
    expect(await find("x' or mail ne 'y@example.com")).toEqual([]);
  });

  it('finds everybody by the oddest of addresses, and nobody else by it', async () => {
    const odd = fc.stringMatching(/^[\w!#$%&'*+/=?^`{|}~\u00e4\u{1f600}-]{1,12}$/u);
    const locals = fc.uniqueArray(odd, {
      minLength: 20,
      maxLength: 20,
      selector: (one) => one.toLowerCase(),
    });
    const [names = []] = fc.sample(locals, 1);
    for (const name of names) {
      const address = `${name}@odd.example.com`;
      const id = graph.directory.addUser('x@example.com', [address]);
      expect([address, await find(address)]).toEqual([address, [id]]);
    }
  });

  it.each(['a b', '"a b"', 'a)(b', 'a,b', "') or mail ne (' ", 'a%27b', 'a&$top=1', 'a\\', '@', '<a>'])(
    'finds nobody by %j, which nobody has',
    async (name) => expect(await find(`${name}@example.com`)).toEqual([]),
  );

  it('gives the entry whole', async () => {
    const source = graphSource(graph, pki, {}, clock);
    const [entry] = (await source.find?.('a@example.com', { signal: new AbortController().signal })) ?? [];
    expect(entry?.addresses.map(({ value }) => value)).toEqual(['ann@example.com', 'a@example.com']);
    await source.close?.();
  });

  it.each([
    ['throttled', { reply: throttled(1) }],
    ['down', { reply: unavailable }],
    ['cut off', { reply: 'reset' as const }],
    ['refused', { reply: fail(403, 'Authorization_RequestDenied', 'no') }],
  ])('throws at once when it is %s: that is no answer', async (_, { reply }) => {
    graph.faults.push({ path: /contacts\?/, times: 99, reply });
    await expect(find('nobody@example.com')).rejects.toMatchObject({ code: 'source' });
    expect(clock.slept).toEqual([]);
  });

  it('throws when the filter was ignored', async () => {
    graph.queries.ignoreFilters = true;
    await expect(find('nobody@example.com')).rejects.toThrow(/answers with others/);
  });

  it('that is refused repeats the address in no error: a log may be told to be without addresses', async () => {
    const reply = fail(400, 'BadRequest', "Syntax error at position 9 in 'smtp:odd@example.com'.");
    graph.faults.push({ path: /contacts\?/, times: 99, reply });
    const error: unknown = await find('odd@example.com').catch((cause: unknown) => cause);
    expect(String(error)).toMatch(/the request was refused \(HTTP 400 BadRequest/);
    expect(JSON.stringify([error, String(error)])).not.toContain('odd@');
  });

  it('ends at its deadline', async () => {
    const source = graphSource(graph, pki, {}, clock);
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(source.find?.('a@example.com', { signal })).rejects.toThrow('too late');
    await source.close?.();
  });
});
