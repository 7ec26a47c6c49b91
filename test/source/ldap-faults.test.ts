/** The ldap source against a server that misbehaves: whatever is doubtful never counts as complete. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'ldapts';
import { afterEach, describe, expect, it } from 'vitest';
import { adopt } from '../../src/source/ldap/dial.js';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import {
  startFakeLdap,
  type FakeLdap,
  type FakeLdapOptions,
  type FakeSearch,
  type Reply,
} from '../support/fake-ldap.js';
import { readWhole, type ReadHooks, type WholeRead } from '../support/read-source.js';

const base = 'dc=example,dc=com';
const bind = { bindDn: 'cn=reader,dc=example,dc=com', bindPassword: 'reader-secret' } as const;

let fake: FakeLdap | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

type Script = FakeLdapOptions['search'];

async function start(search: Script, rest: Omit<FakeLdapOptions, 'search'> = {}): Promise<FakeLdap> {
  fake = await startFakeLdap({ search, ...rest });
  return fake;
}

function optionsFor(url: string, changes: Partial<LdapSourceOptions>): LdapSourceOptions {
  return {
    name: 'staff',
    urls: [url],
    startTls: false,
    tls: { verify: true },
    ...bind,
    baseDns: [base],
    preset: 'openldap',
    scope: 'sub',
    respectDisabled: false,
    pageSize: 100,
    timeoutMs: 2_000,
    timeLimitSeconds: 77,
    connectTimeoutMs: 1_000,
    ...changes,
  };
}

function read(
  server: FakeLdap,
  changes: Partial<LdapSourceOptions> = {},
  hooks: ReadHooks = {},
): Promise<WholeRead> {
  return readWhole(createLdapSource(optionsFor(server.url, changes)), hooks);
}

function person(reply: Reply, number: number): void {
  reply.entry(`uid=p${String(number)},${base}`, {
    entryUUID: `00000000-0000-4000-8000-00000000000${String(number)}`,
    mail: `p${String(number)}@example.com`,
    objectClass: ['inetOrgPerson'],
  });
}

/** Answers page by page: each script is one page; the cookie is the number of the next one. */
function pages(...scripts: ((reply: Reply, request: FakeSearch) => void)[]): Script {
  return (request, reply) => {
    const page = Number(request.paged?.cookie ?? '');
    scripts[page]?.(reply, request);
  };
}

const three = ['p1@example.com', 'p2@example.com', 'p3@example.com'];

describe('paging', () => {
  const emptyInTheMiddle = pages(
    (reply) => {
      person(reply, 1);
      reply.done({ cookie: '1' });
    },
    (reply) => reply.done({ cookie: '2' }),
    (reply) => {
      person(reply, 2);
      person(reply, 3);
      reply.done({ cookie: '' });
    },
  );

  it('follows the cookie over an empty page, where ldapts itself stops', async () => {
    const server = await start(emptyInTheMiddle);
    const { addresses, report } = await read(server);
    expect(addresses).toEqual(three);
    expect(report.complete).toBe(true);

    const client = new Client({ url: server.url });
    const naive = await client.search(base, { filter: '(mail=*)', paged: true });
    await client.unbind();
    expect(naive.searchEntries).toHaveLength(1); // the trap; when this fails, ldapts has mended it
  });

  it('asks for no size limit, for the configured time limit, and for paging as critical', async () => {
    const server = await start(emptyInTheMiddle);
    await read(server);
    expect(server.searches).toHaveLength(3);
    for (const search of server.searches) {
      expect(search).toMatchObject({ sizeLimit: 0, timeLimit: 77, paged: { size: 100, critical: true } });
      expect(search.boundAs).toBe(bind.bindDn);
    }
  });

  it.each([
    [3, /time limit exceeded \(result 3/],
    [4, /size limit exceeded \(result 4/],
    [10, /referral \(result 10/],
    [11, /administrative limit exceeded \(result 11/],
    [50, /insufficient access \(result 50/],
    [80, /unexpected answer \(result 80/],
  ])('fails on result %i, also with entries before it', async (code, message) => {
    const server = await start(
      pages((reply) => {
        person(reply, 1);
        reply.done({ code, message: 'said the server', cookie: '' });
      }),
    );
    await expect(read(server)).rejects.toThrow(message);
    await expect(read(server)).rejects.toThrow('said the server');
  });

  it.each([1, 2])('fails when the limit comes on page %i', async (bad) => {
    const server = await start(
      pages(
        (reply) => {
          person(reply, 1);
          reply.done(bad === 1 ? { code: 4 } : { cookie: '1' });
        },
        (reply) => reply.done({ code: 4, cookie: '' }),
      ),
    );
    await expect(read(server)).rejects.toThrow(/size limit/);
  });

  it('does not take success without the paging answer for the whole list', async () => {
    const server = await start((_, reply) => {
      person(reply, 1);
      reply.done();
    });
    const { addresses, report } = await read(server);
    expect(addresses).toEqual(['p1@example.com']);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toMatch(/did not page/);
  });

  it('does not when the paging answer is missing only at the end, or the root DSE says nothing', async () => {
    const server = await start(
      pages(
        (reply) => {
          person(reply, 1);
          reply.done({ cookie: '1' });
        },
        (reply) => reply.done(),
      ),
      { rootDse: null },
    );
    const { report } = await read(server);
    expect(report.complete).toBe(false);
    expect(server.searches[0]?.paged?.critical).toBe(false);
  });

  it('takes an unpaged success from a server that says it cannot page', async () => {
    const server = await start(
      (_, reply) => {
        person(reply, 1);
        reply.done();
      },
      { rootDse: { supportedControl: ['2.16.840.1.113730.3.4.2'] } },
    );
    const { report } = await read(server);
    expect(report).toMatchObject({ complete: true, reasons: [] });
    expect(server.searches[0]?.paged).toBeUndefined();
  });

  it('lowers the page size when the server refuses it', async () => {
    const server = await start((request, reply) => {
      if ((request.paged?.size ?? 0) > 200) {
        reply.done({ code: 11, message: 'illegal pagedResults page size' });
        return;
      }
      person(reply, 1);
      reply.done({ cookie: '' });
    });
    expect((await read(server, { pageSize: 1_500 })).report.complete).toBe(true);
    expect(server.searches.map((search) => search.paged?.size)).toEqual([1_500, 1_000, 500, 200]);
  });

  it('gives up on pages that stay empty for ever', async () => {
    const server = await start((_, reply) => reply.done({ cookie: 'again' }));
    await expect(read(server)).rejects.toThrow(/1000 empty pages/);
  });
});

describe('the connection', () => {
  const thenReset = pages(
    (reply) => {
      person(reply, 1);
      reply.done({ cookie: '1' });
    },
    (reply, request) => {
      if (request.connection === 1) reply.reset();
      else reply.done({ cookie: '' }); // what a server that hides everything from anonymous says
    },
  );

  it('fails when it is reset between pages, and never goes on over a new one', async () => {
    const server = await start(thenReset);
    await expect(read(server)).rejects.toThrow(/closed the connection|Connection closed|ECONNRESET/i);
    expect(server.connections()).toBe(1);
  });

  it('is not opened again by ldapts, which would be unbound', async () => {
    // The server closes after the page was answered, while nothing is asked.
    const server = await start((request, reply) => {
      person(reply, 1);
      reply.done({ cookie: String(Number(request.paged?.cookie ?? '0') + 1) });
      if (request.paged?.cookie === '1') reply.reset();
    });
    await expect(read(server)).rejects.toMatchObject({ code: 'source' });
    expect(server.connections()).toBe(1);
    expect(server.searches.every((search) => search.boundAs === bind.bindDn)).toBe(true);
  });

  it('fails within its timeout when the server goes silent', async () => {
    const silent: FakeLdapOptions['search'] = () => undefined;
    await expect(read(await start(silent), { timeoutMs: 100 })).rejects.toThrow(/timed out/);
  });

  it('fails when a part of the answer cannot be read, with which ldapts drops what came after it', async () => {
    // An intermediate response of no request (RFC 4511 §4.13), then an entry in the same segment.
    const unreadable = Buffer.from('3005020100790000', 'hex').subarray(0, 7);
    const script: Script = (_, reply) => {
      reply.raw(unreadable);
      person(reply, 1);
      setTimeout(() => reply.done({ cookie: '' }), 20);
    };
    await expect(read(await start(script))).rejects.toThrow(/cannot be read/);
  });

  it('fails on more entries in one answer than can be held', async () => {
    const script: Script = (_, reply) => {
      reply.repeat(100_001, base);
      reply.done({ cookie: '' });
    };
    await expect(read(await start(script), { timeoutMs: 20_000 })).rejects.toThrow(
      /more than 100000 entries/,
    );
  });

  it('is handed to ldapts once: a search after its loss does not open another', async () => {
    const server = await start(pages((reply) => reply.done({ cookie: '' })));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const client = adopt(socket, server.url, 1_000);
    await client.bind(bind.bindDn, bind.bindPassword);
    const gone = once(socket, 'close');
    socket.destroy();
    await gone;
    await expect(client.search(base, { filter: '(mail=*)' })).rejects.toThrow('the connection was lost');
    expect(server.connections()).toBe(1);
  });

  it('fails on an endless message instead of keeping it', async () => {
    const server = await start((_, reply) => {
      reply.raw(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]));
      for (let megabyte = 0; megabyte < 10; megabyte += 1) reply.raw(Buffer.alloc(1024 * 1024, 1));
    });
    await expect(read(server, { timeoutMs: 10_000 })).rejects.toThrow(/more than 8388608 octets/);
  });

  it('stops a StartTLS handshake that hangs', async () => {
    const server = await start(() => undefined, { onExtended: () => false });
    await expect(read(server, { startTls: true, connectTimeoutMs: 100 })).rejects.toThrow(
      /timed out|took longer/,
    );
  });

  it('never binds in the clear when StartTLS is refused', async () => {
    const server = await start(() => undefined);
    await expect(read(server, { startTls: true })).rejects.toThrow(/result 2/);
    expect(server.binds).toEqual([]);
  });

  it('ends at once when the run is stopped while the server is silent', async () => {
    const stop = new AbortController();
    const server = await start(() => stop.abort(new Error('shutting down')));
    await expect(read(server, { timeoutMs: 60_000 }, { signal: stop.signal })).rejects.toThrow(
      'shutting down',
    );
  });
});

describe('the bind', () => {
  it.each([
    ['80090308: LdapErr: DSID-0C09, comment: AcceptSecurityContext error, data 52e, v4563', /wrong password/],
    ['80090308: LdapErr: DSID-0C09, comment: AcceptSecurityContext error, data 775, v4563', /locked out/],
  ])('explains Active Directory’s result 49: %s', async (message, reason) => {
    const server = await start(() => undefined, { bindResult: { code: 49, message } });
    const failed = read(server);
    await expect(failed).rejects.toThrow(reason);
    await expect(failed).rejects.not.toThrow(/reader-secret/);
  });

  it('explains result 8', async () => {
    const server = await start(() => undefined, { bindResult: { code: 8, message: 'BindSimple' } });
    await expect(read(server)).rejects.toMatchObject({
      message: expect.stringContaining('stronger authentication required (result 8') as string,
      hint: expect.stringContaining('startTls') as string,
    });
  });

  it('tries the next server when the first is busy', async () => {
    const busy = await startFakeLdap({ search: () => undefined, bindResult: { code: 51, message: '' } });
    try {
      const server = await start(pages((reply) => reply.done({ cookie: '' })));
      const { report } = await read(server, { urls: [busy.url, server.url] });
      expect(report.complete).toBe(true);
    } finally {
      await busy.close();
    }
  });

  it('does not believe a bind after which the server takes us for anonymous', async () => {
    const search = pages((reply) => reply.done({ cookie: '' }));
    await expect(read(await start(search, { whoAmI: '' }))).rejects.toThrow(/takes us for anonymous/);
  });
});

describe('entries', () => {
  const guid = Buffer.from('33221100554477668899aabbccddeeff', 'hex');

  function one(attributes: Parameters<Reply['entry']>[1], rest?: (reply: Reply) => void): Script {
    return pages((reply) => {
      reply.entry(`cn=One,${base}`, attributes);
      rest?.(reply);
      reply.done({ cookie: '' });
    });
  }

  it('reads Active Directory: GUID in its byte order, SMTP proxies only, flags', async () => {
    const server = await start(
      one({
        objectGUID: guid,
        OBJECTCLASS: ['top', 'person', 'user'],
        mail: 'One@example.com',
        proxyAddresses: [
          'SMTP:one@example.com',
          'smtp:first@example.com',
          'sip:one@example.com',
          'X500:/o=x/cn=one',
        ],
        userAccountControl: '514',
        msExchRequireAuthToSendTo: 'TRUE',
      }),
    );
    const { entries } = await read(server, { preset: 'active-directory', respectDisabled: true });
    expect(entries).toEqual([
      {
        id: '00112233-4455-6677-8899-aabbccddeeff',
        kind: 'user',
        disabled: true,
        internalOnly: true,
        where: `cn=One,${base}`,
        addresses: [
          { value: 'One@example.com', attribute: 'mail' },
          { value: 'one@example.com', attribute: 'proxyAddresses' },
          { value: 'first@example.com', attribute: 'proxyAddresses' },
        ],
      },
    ]);
  });

  it('reads a GUID whose bytes happen to be text', async () => {
    const text = Buffer.from('ABCDEFGHIJKLMNOP');
    const server = await start(one({ objectguid: text, mail: 'one@example.com' }));
    const { entries } = await read(server, { preset: 'active-directory' });
    expect(entries[0]?.id).toBe('44434241-4645-4847-494a-4b4c4d4e4f50');
  });

  it.each([
    ['a user', '1', true],
    ['a remote user', '2147483648', true],
    ['a linked mailbox', '2', false],
    ['a shared mailbox', '4', false],
    ['a room', '16', false],
    ['equipment', '32', false],
    ['a remote room', '8589934592', false],
    ['remote equipment', '17179869184', false],
    ['a remote shared mailbox', '34359738368', false],
  ])('takes the disabled account of %s (type %s) for disabled: %s', async (_, type, disabled) => {
    const attributes = { objectGUID: guid, mail: 'one@example.com', userAccountControl: '514' };
    const server = await start(one({ ...attributes, msExchRecipientTypeDetails: type }));
    const whether = async (respectDisabled: boolean) =>
      (await read(server, { preset: 'active-directory', respectDisabled })).entries[0]?.disabled;
    expect(await whether(true)).toBe(disabled);
    expect(await whether(false)).toBe(false);
  });

  it('does not count a read as complete when an entry has no readable id', async () => {
    const server = await start(one({ mail: 'one@example.com' }));
    const { entries, problems, report } = await read(server);
    expect(entries).toEqual([]);
    expect(problems).toEqual([{ where: `cn=One,${base}`, reason: 'no readable entryUUID' }]);
    expect(report).toMatchObject({ complete: false, reasons: ['1 entries have no readable id'] });
  });

  it('tells of values that are not UTF-8', async () => {
    const server = await start(one({ entryUUID: 'a', mail: Buffer.from([0x6a, 0xf6, 0x40, 0x78]) }));
    expect((await read(server)).problems[0]?.reason).toMatch(/not UTF-8/);
  });

  it.each([
    ['openldap', false],
    ['389ds', false],
    ['active-directory', true],
  ] as const)('with references not followed, %s is complete: %s', async (preset, complete) => {
    const attributes = { entryUUID: 'a', nsUniqueId: 'a', objectGUID: guid, mail: 'one@example.com' };
    const server = await start(one(attributes, (reply) => reply.reference('ldap://other.example.com/dc=x')));
    const { report } = await read(server, { preset });
    expect(report.complete).toBe(complete);
    expect(report.description).toContain('1 references to other servers were not followed');
  });

  describe('with more values than one answer holds', () => {
    const proxies = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => `smtp:a${String(from + index)}@example.com`);

    function ranged(part: (from: number, reply: Reply) => void): Script {
      return (request, reply) => {
        if (request.scope !== 'base') {
          reply.entry(`cn=One,${base}`, {
            objectGUID: guid,
            proxyAddresses: [],
            'proxyAddresses;range=0-1499': proxies(0, 1_499),
          });
          reply.done({ cookie: '' });
          return;
        }
        part(Number(/range=(\d+)-/.exec(request.attributes[0] ?? '')?.[1]), reply);
      };
    }

    it('fetches them all', async () => {
      const server = await start(
        ranged((from, reply) => {
          const last = from === 3_000;
          const range = `proxyAddresses;range=${String(from)}-${last ? '*' : String(from + 1_499)}`;
          reply.entry(`cn=One,${base}`, {
            proxyAddresses: [],
            [range]: proxies(from, last ? 3_099 : from + 1_499),
          });
          reply.done();
        }),
      );
      const { addresses, report } = await read(server, { preset: 'active-directory' });
      expect(new Set(addresses).size).toBe(3_100);
      expect(report.complete).toBe(true);
    });

    it.each<[string, (from: number, reply: Reply) => void]>([
      ['is refused', (_, reply) => reply.done({ code: 50 })],
      ['is empty', (_, reply) => reply.done()],
      [
        'comes again and again',
        (from, reply) => {
          reply.entry(`cn=One,${base}`, {
            [`proxyAddresses;range=${String(from)}-${String(from - 1)}`]: 'smtp:x@example.com',
          });
          reply.done();
        },
      ],
    ])('does not count the read as complete when the rest %s', async (_, part) => {
      const { addresses, problems, report } = await read(await start(ranged(part)), {
        preset: 'active-directory',
      });
      expect(addresses.length).toBeGreaterThanOrEqual(1_500);
      expect(report.complete).toBe(false);
      expect(problems.map((problem) => problem.where)).toEqual([`cn=One,${base}`]);
    });
  });
});

describe('options', () => {
  it('refuses a filter that cannot be read', () => {
    expect(() => createLdapSource(optionsFor('ldap://127.0.0.1', { filter: '(mail=*' }))).toThrow(
      /filter \(mail=\* cannot be read/,
    );
  });
});
