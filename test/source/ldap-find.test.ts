/** One address asked of a directory: over one kept connection, and never "none" on a doubt. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import type { Entry, Source } from '../../src/source/source.js';
import type { FakeLdap, Reply } from '../support/fake-ldap.js';
import { haveSlapd, makePeople, startSlapd } from '../support/slapd.js';
import { base, optionsFor, person, start } from './fake-directory.js';

const groups = { of: [`cn=group20,ou=groups,${base}`], nested: true, includeGroups: true };

let source: Source | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await source?.close?.();
  source = undefined;
});

function sourceAt(server: { url: string }, changes: Partial<LdapSourceOptions> = {}): Source {
  source = createLdapSource(optionsFor(server.url, changes));
  return source;
}

function find(
  from: Source,
  address: string,
  signal = new AbortController().signal,
): Promise<readonly Entry[]> {
  if (from.find === undefined) throw new Error('this source finds nobody');
  return from.find(address, { signal });
}

/** Every question is answered with person 1, when `found` says so. */
const answering = (found: () => boolean): Promise<FakeLdap> =>
  start((_, reply) => {
    if (found()) person(reply, 1);
    reply.done({ cookie: '' });
  });

describe('the kept connection', () => {
  it('serves one question after another, and several at once', async () => {
    const server = await answering(() => true);
    const directory = sourceAt(server);
    expect(await find(directory, 'p1@example.com')).toMatchObject([{ where: `uid=p1,${base}` }]);
    await Promise.all([find(directory, 'a@example.com'), find(directory, 'b@example.com')]);
    expect(server.connections()).toBe(1);
    expect(server.binds).toHaveLength(1);
    await directory.close?.();
    await find(directory, 'p1@example.com');
    expect(server.connections()).toBe(2);
  });

  it('is dialled anew, and bound, when it is found dead', async () => {
    let resets = 1;
    const server = await start((request, reply) => {
      if (request.filter.includes('second') && resets-- > 0) {
        reply.reset();
        return;
      }
      person(reply, 1);
      reply.done({ cookie: '' });
    });
    const directory = sourceAt(server);
    await find(directory, 'first@example.com');
    expect(await find(directory, 'second@example.com')).toHaveLength(1);
    expect(server.connections()).toBe(2);
    expect(server.searches.at(-1)?.boundAs).toContain('cn=reader');
  });

  it('is dialled no more than once for a question', async () => {
    const server = await start((_, reply) => reply.reset());
    const directory = sourceAt(server);
    await expect(find(directory, 'a@example.com')).rejects.toMatchObject({ code: 'source' });
    expect(server.connections()).toBe(1);
  });

  it('closes a minute after the last question', async () => {
    const server = await answering(() => true);
    const directory = sourceAt(server);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await find(directory, 'a@example.com');
    await vi.advanceTimersByTimeAsync(59_000);
    await find(directory, 'b@example.com');
    await vi.advanceTimersByTimeAsync(59_000);
    await find(directory, 'c@example.com');
    expect(server.connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(61_000);
    await find(directory, 'd@example.com');
    expect(server.connections()).toBe(2);
  });

  it('is given up with the question that was stopped over it', async () => {
    const late = new AbortController();
    const server = await start((request, reply) => {
      if (request.connection === 1) late.abort(new Error('too late'));
      else reply.done({ cookie: '' });
    });
    const directory = sourceAt(server, { timeoutMs: 60_000 });
    await expect(find(directory, 'a@example.com', late.signal)).rejects.toThrow('too late');
    expect(await find(directory, 'a@example.com')).toEqual([]);
    expect(server.connections()).toBe(2);
  });
});

it('a question that waits for its turn behind a walk through groups is answered by its own deadline', async () => {
  const server = await start(() => undefined);
  const directory = sourceAt(server, { timeoutMs: 60_000, members: groups });
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = find(directory, 'a@example.com', first.signal);
  await vi.waitFor(() => expect(server.searches).toHaveLength(1));
  const waiting = find(directory, 'b@example.com', second.signal);
  second.abort(new Error('too late'));
  await expect(waiting).rejects.toThrow('too late');
  first.abort(new Error('too late as well'));
  await expect(asked).rejects.toThrow('too late as well');
  expect(server.searches).toHaveLength(1);
});

describe('no answer rather than "none"', () => {
  it.each<[string, (reply: Reply) => void, RegExp]>([
    ['a size limit', (reply) => reply.done({ code: 4, cookie: '' }), /size limit/],
    ['a busy server', (reply) => reply.done({ code: 51 }), /busy/],
    ['an answer that was not paged', (reply) => reply.done(), /did not page/],
    [
      'a reference to another server',
      (reply) => {
        reply.reference('ldap://other.example/dc=other');
        reply.done({ cookie: '' });
      },
      /ldap:\/\/other.example/,
    ],
    [
      'an entry without a readable id',
      (reply) => {
        reply.entry(`uid=x,${base}`, { mail: 'x@example.com' });
        reply.done({ cookie: '' });
      },
      /no readable id/,
    ],
  ])('on %s', async (_, answer, why) => {
    const server = await start((__, reply) => answer(reply));
    await expect(find(sourceAt(server), 'x@example.com')).rejects.toThrow(why);
    expect(server.connections()).toBe(1);
  });

  it('to somebody who is nobody', async () => {
    const server = await answering(() => false);
    const nobody = sourceAt(server, { bindDn: undefined, bindPassword: undefined });
    await expect(find(nobody, 'x@example.com')).rejects.toThrow();
  });

  it('when only one of several bases answers', async () => {
    const server = await start((request, reply) =>
      request.baseDn.startsWith('ou=a') ? reply.done({ cookie: '' }) : reply.done({ code: 32 }),
    );
    const directory = sourceAt(server, { baseDns: [`ou=a,${base}`, `ou=b,${base}`] });
    await expect(find(directory, 'x@example.com')).rejects.toThrow(/ou=b.*no such object/);
  });
});

describe.skipIf(!haveSlapd)('in a real slapd', () => {
  it('finds an address in each of its spellings, and nothing by wildcards', async () => {
    const slapd = await startSlapd({
      ldif: `${makePeople(30).ldif}dn: uid=mueller,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nobjectClass: mailRouting\nuid: mueller\ncn: x\nsn: x\nproxyAddresses: SMTP:hans@müller.example\nmail: o'brien+(a)@example.com\n\n`,
    });
    try {
      const { dn, password } = slapd.reader;
      const directory = sourceAt(slapd, { bindDn: dn, bindPassword: password });
      const where = async (address: string) => (await find(directory, address)).map((entry) => entry.where);
      expect(await where('Person3@Example.com')).toEqual(['uid=person3,ou=people,dc=example,dc=com']);
      expect(await where('person3.alias@example.com')).toHaveLength(1);
      expect(await where('person5.proxy@example.com')).toHaveLength(1);
      expect(await where('hans@xn--mller-kva.example')).toHaveLength(1);
      expect(await where("o'brien+(a)@example.com")).toHaveLength(1);
      for (const none of ['nobody@example.com', '*@example.com', 'x)(mail=*', '\\2a@example.com', 'person@'])
        expect(await where(none)).toEqual([]);
    } finally {
      await slapd.remove();
    }
  });

  it('answers several at once that walk through many groups: two paged searches would break each other', async () => {
    const slapd = await startSlapd({ ldif: makePeople(1_000).ldif });
    try {
      const { dn: bindDn, password: bindPassword } = slapd.reader;
      const directory = sourceAt(slapd, { bindDn, bindPassword, pageSize: 10, members: groups });
      const found = await Promise.all(
        ['group20', 'person1', 'group20', 'person3', 'group20'].map((who) =>
          find(directory, `${who}@example.com`),
        ),
      );
      expect(found.map((entries) => entries.length)).toEqual([1, 0, 1, 0, 1]);
    } finally {
      await slapd.remove();
    }
  });
});
