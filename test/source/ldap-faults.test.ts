/** The ldap source against a server that misbehaves: whatever is doubtful never counts as complete. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { adopt } from '../../src/source/ldap/dial.js';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { startFakeLdap, type FakeLdap, type FakeLdapOptions, type FakeSearch } from '../support/fake-ldap.js';
import { base, bind, optionsFor, pages, person, read, start, type Script } from './fake-directory.js';

/** Without the searches for where changes begin. */
const readsOf = (server: FakeLdap): FakeSearch[] =>
  server.searches.filter((search) => search.attributes.includes('mail'));

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
    expect(readsOf(server)).toHaveLength(3);
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
    expect(readsOf(server).map((search) => search.paged?.size)).toEqual([1_500, 1_000, 500, 200]);
  });

  it('gives up on a server, or a proxy before it, that sends the first page for ever', async () => {
    const server = await start((_, reply) => {
      person(reply, 1);
      person(reply, 2);
      reply.done({ cookie: 'more' });
    });
    await expect(read(server)).rejects.toThrow(/the same page again and again/);
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

describe('options', () => {
  it('refuses a filter that cannot be read', () => {
    expect(() => createLdapSource(optionsFor('ldap://127.0.0.1', { filter: '(mail=*' }))).toThrow(
      /filter \(mail=\* cannot be read/,
    );
  });
});
