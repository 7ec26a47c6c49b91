/** Changes told by a directory that misbehaves: whatever is doubtful ends in a whole read, never in a removal. */
import { describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readChanges, type ChangesRead } from '../support/follow-source.js';
import type { FakeLdap, FakeSearch, Reply } from '../support/fake-ldap.js';
import { readWhole } from '../support/read-source.js';
import { base, optionsFor, pages, person, start } from './fake-directory.js';

const csn = (second: number, sid = '001'): string =>
  `202611220000${String(second).padStart(2, '0')}.000000Z#000000#${sid}#000000`;

const rootDse = {
  supportedControl: ['1.2.840.113556.1.4.319'],
  supportedExtension: ['1.3.6.1.4.1.4203.1.11.3'],
  namingContexts: [base],
};

interface Answers {
  /** contextCSN, by how often it was asked; the last one stays. */
  readonly contexts: readonly (readonly string[])[];
  /** To the search for ids of what was touched. */
  readonly touched?: (reply: Reply, request: FakeSearch) => void;
  /** To the search for those of them that match. */
  readonly matching?: (reply: Reply, request: FakeSearch) => void;
  readonly listing?: (reply: Reply, request: FakeSearch) => void;
}

const nothing = (reply: Reply): void => reply.done({ cookie: '' });

/** A server with contextCSN; a whole read finds nobody. */
function directory(answers: Answers): Promise<FakeLdap> {
  let asked = 0;
  return start(
    (request, reply) => {
      if (request.attributes.includes('contextcsn')) {
        const contextCSN = answers.contexts[Math.min(asked++, answers.contexts.length - 1)] ?? [];
        reply.entry(base, { contextCSN });
        reply.done();
      } else if (/^\(entryCSN>=/i.test(request.filter)) (answers.touched ?? nothing)(reply, request);
      else if (/entryCSN/i.test(request.filter)) (answers.matching ?? nothing)(reply, request);
      else if (request.attributes.length === 1) (answers.listing ?? nothing)(reply, request);
      else nothing(reply);
    },
    { rootDse },
  );
}

/** From a whole read's cursor to the changes after it. */
async function follow(
  server: FakeLdap,
  { listing = false, ...changes }: Partial<LdapSourceOptions> & { listing?: boolean } = {},
): Promise<ChangesRead> {
  const source = createLdapSource(optionsFor(server.url, changes));
  const { report } = await readWhole(source);
  return readChanges(source, report.cursor, { listing });
}

const moved = [[csn(1)], [csn(2)]];
const id = (number: number): string => `00000000-0000-4000-8000-00000000000${String(number)}`;

describe('the cursor', () => {
  it.each([
    ['went back', [[csn(5)], [csn(4)]], /went back/],
    ['has a server more', [[csn(1)], [csn(1), csn(3, '002')]], /server 002 is new/],
    ['has lost a server', [[csn(1), csn(3, '002')], [csn(1)]], /server 002 is no longer/],
    ['is not to be read any more', [[csn(1)], []], /cannot be read any more/],
  ])('is doubted when contextCSN %s', async (_, contexts, doubt) => {
    const { report, changes } = await follow(await directory({ contexts }));
    expect(report.doubts.join()).toMatch(doubt);
    expect(report.proof).toBe(false);
    expect(changes).toEqual([]);
  });

  it.each(['', 'null', '{"by":"dirsync"}', '{"by":"csn","contexts":{"a":1}}'])(
    'is doubted when it is %j',
    async (cursor) => {
      const server = await directory({ contexts: moved });
      const { report } = await readChanges(createLdapSource(optionsFor(server.url, {})), cursor);
      expect(report.doubts).toHaveLength(1);
    },
  );

  it('searches from the oldest CSN of those servers that moved', async () => {
    const [still, was] = [csn(1, '001'), csn(5, '002')];
    const server = await directory({
      contexts: [
        [still, was],
        [still, csn(9, '002')],
      ],
    });
    const { report } = await follow(server);
    expect(report.doubts).toEqual([]);
    const filters = server.searches.map((search) => search.filter).filter((text) => /entryCSN/i.test(text));
    expect(filters.map((text) => text.includes('20261122000005.000000Z'))).toEqual([true, true]);
  });

  it('at rest proves that nothing happened', async () => {
    const { report, changes } = await follow(await directory({ contexts: [[csn(1)]] }));
    expect(report).toMatchObject({ doubts: [], proof: true });
    expect(changes).toEqual([]);
  });

  it('at rest is doubted when objects are newer: nobody keeps contextCSN', async () => {
    const server = await directory({
      contexts: [[csn(1)]],
      touched: (reply) => {
        reply.entry(`uid=p1,${base}`, { entryCSN: csn(7) });
        reply.done({ cookie: '' });
      },
    });
    const { report } = await follow(server);
    expect(report.doubts.join()).toMatch(/nobody keeps it/);
    expect(report.proof).toBe(false);
  });
});

describe('the searches', () => {
  it('go over empty pages to the final cookie', async () => {
    const both = pages(
      (reply) => {
        person(reply, 1);
        reply.done({ cookie: '1' });
      },
      (reply) => reply.done({ cookie: '2' }),
      (reply) => {
        person(reply, 2);
        reply.done({ cookie: '' });
      },
    );
    const server = await directory({
      contexts: moved,
      touched: (reply, request) => both(request, reply),
      matching: (reply, request) => both(request, reply),
      listing: (reply, request) => both(request, reply),
    });
    const { report, told, gone, listed } = await follow(server, { listing: true });
    expect(report).toMatchObject({ doubts: [], listed: true, proof: true });
    expect(told).toEqual([id(1), id(2)]);
    expect(gone).toEqual([]);
    expect([...listed]).toEqual([id(1), id(2)]);
  });

  it('ask for no size limit and for the configured time limit', async () => {
    const server = await directory({ contexts: moved });
    await follow(server, { listing: true });
    expect(server.searches.length).toBeGreaterThan(4);
    for (const search of server.searches) expect(search).toMatchObject({ sizeLimit: 0, timeLimit: 77 });
  });

  const cut = (reply: Reply): void => {
    person(reply, 1);
    reply.done({ code: 4, cookie: '' });
  };
  it.each(['touched', 'matching', 'listing'] as const)(
    'fail on a size limit with entries before it (%s)',
    async (which) => {
      const server = await directory({ contexts: moved, [which]: cut });
      await expect(follow(server, { listing: true })).rejects.toThrow(/size limit/);
    },
  );

  it.each(['touched', 'matching', 'listing'] as const)(
    'fail when the connection is lost, and are not repeated unbound (%s)',
    async (which) => {
      const server = await directory({ contexts: moved, [which]: (reply: Reply) => reply.reset() });
      await expect(follow(server, { listing: true })).rejects.toMatchObject({ code: 'source' });
      expect(server.connections()).toBe(2); // the whole read's, and this one
    },
  );

  it.each<[string, (reply: Reply) => void, RegExp]>([
    ['were not paged', (reply) => reply.done(), /did not page/],
    [
      'refer to another server',
      (reply) => {
        reply.reference('ldap://other.example/dc=other');
        reply.done({ cookie: '' });
      },
      /ldap:\/\/other.example/,
    ],
    [
      'hold an entry without an id',
      (reply) => {
        reply.entry(`uid=x,${base}`, { mail: 'x@example.com' });
        reply.done({ cookie: '' });
      },
      /no readable id/,
    ],
  ])('are doubted when they %s', async (_, answer, doubt) => {
    for (const which of ['touched', 'matching', 'listing'] as const) {
      const server = await directory({ contexts: moved, [which]: answer });
      const { report } = await follow(server, { listing: true });
      expect(report.doubts.join()).toMatch(doubt);
      expect(report).toMatchObject({ listed: false, proof: false });
      await server.close();
    }
  });

  it('are doubted when values are missing: `proxyAddresses: []` is not the end of a range', async () => {
    const server = await directory({
      contexts: moved,
      touched: (reply) => {
        person(reply, 1);
        reply.done({ cookie: '' });
      },
      matching: (reply) => {
        reply.entry(`uid=p1,${base}`, {
          entryUUID: id(1),
          'proxyAddresses;range=0-1': ['smtp:a@example.com', 'smtp:b@example.com'],
          proxyAddresses: [],
        });
        reply.done({ cookie: '' });
      },
    });
    const { report } = await follow(server);
    expect(report.doubts.join()).toMatch(/not all values of proxyAddresses/);
  });

  it('tell what was touched and does not match as gone, and nothing else', async () => {
    const server = await directory({
      contexts: moved,
      touched: (reply) => {
        person(reply, 1);
        person(reply, 2);
        reply.done({ cookie: '' });
      },
      matching: (reply) => {
        person(reply, 2);
        person(reply, 3);
        reply.done({ cookie: '' });
      },
    });
    const { told, gone, report } = await follow(server);
    expect(report.doubts).toEqual([]);
    expect(told).toEqual([id(2), id(3)]);
    expect(gone).toEqual([id(1)]);
  });

  it('do not lose who is moved from one base to another meanwhile', async () => {
    const [here, there] = [`ou=a,${base}`, `ou=b,${base}`];
    let asked = 0;
    const server = await directory({
      contexts: moved,
      touched: (reply, request) => {
        if (request.baseDn === there) person(reply, 1);
        reply.done({ cookie: '' });
      },
      matching: (reply, request) => {
        // moved from `there` to `here` after `here` was searched
        asked += 1;
        if (asked > 2 && request.baseDn === here) person(reply, 1);
        reply.done({ cookie: '' });
      },
    });
    const { told, gone } = await follow(server, { baseDns: [here, there] });
    expect({ told, gone }).toEqual({ told: [id(1)], gone: [] });
  });

  it('read below a container that was touched: it may have been moved here', async () => {
    const server = await directory({
      contexts: moved,
      touched: (reply) => {
        reply.entry(`ou=new,${base}`, { entryUUID: id(9), hasSubordinates: 'TRUE' });
        reply.done({ cookie: '' });
      },
    });
    await follow(server);
    expect(server.searches.some((search) => search.baseDn === `ou=new,${base}`)).toBe(true);
  });

  it('are doubted when the base itself was touched, and when an anonymous account made them', async () => {
    const touched = (reply: Reply): void => {
      reply.entry(base.toUpperCase(), { entryUUID: id(9), hasSubordinates: 'TRUE' });
      reply.done({ cookie: '' });
    };
    const server = await directory({ contexts: moved, touched });
    expect((await follow(server)).report.doubts.join()).toMatch(/itself/);
    await server.close();
    const open = await directory({ contexts: moved });
    const { report } = await follow(open, { bindDn: '', bindPassword: '' });
    expect(report.doubts.join()).toMatch(/anonymously/);
  });

  it('do not believe a listing that is empty', async () => {
    const { report } = await follow(await directory({ contexts: moved }), { listing: true });
    expect(report.doubts.join()).toMatch(/listed no object/);
    expect(report.listed).toBe(false);
  });
});
