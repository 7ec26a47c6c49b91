/** The ldap source against a real slapd: what it reads, and every refusal that a real server gives. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readWhole } from '../support/read-source.js';
import { freePort } from '../support/free-port.js';
import { haveSlapd, hideEven, makePeople, startSlapd, type Slapd } from '../support/slapd.js';

describe.skipIf(!haveSlapd)('ldap source on a real slapd', () => {
  const people = makePeople(3_000);
  const everyone = [...people.known].sort();
  let slapd: Slapd;
  let options: LdapSourceOptions;

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif });
  });
  afterAll(async () => {
    await slapd.remove();
  });
  beforeEach(() => {
    options = {
      name: 'staff',
      urls: [slapd.url],
      startTls: false,
      tls: { verify: true, ca: slapd.pki.ca },
      bindDn: slapd.reader.dn,
      bindPassword: slapd.reader.password,
      baseDns: [slapd.suffix],
      preset: 'openldap',
      scope: 'sub',
      respectDisabled: false,
      pageSize: 100,
      timeoutMs: 10_000,
      timeLimitSeconds: 60,
      connectTimeoutMs: 3_000,
    };
  });

  const read = (changes: Partial<LdapSourceOptions> = {}) =>
    readWhole(createLdapSource({ ...options, ...changes }));

  it('reads every address of 3,150 entries, a page at a time, and proves it', async () => {
    const { addresses, report, batches, entries, problems } = await read();
    expect([...addresses].sort()).toEqual(everyone);
    expect(report).toMatchObject({ complete: true, reasons: [] });
    expect(report.description).toContain(slapd.reader.dn);
    expect(Math.max(...batches)).toBe(100);
    expect(problems).toEqual([]);
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(3_150);
    expect(entries[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(entries.find((entry) => entry.where.startsWith('uid=person15,'))).toMatchObject({
      kind: 'user',
      disabled: false,
      internalOnly: false,
      addresses: [
        { value: 'person15@example.com', attribute: 'mail' },
        { value: 'person15.alias@example.com', attribute: 'mailLocalAddress' },
        { value: 'person15.proxy@example.com', attribute: 'proxyAddresses' },
      ],
    });
    expect(entries.find((entry) => entry.where.startsWith('cn=group20,'))).toMatchObject({ kind: 'group' });
  });

  it.each([
    ['LDAPS', () => ({ urls: [slapd.ldapsUrl] })],
    ['StartTLS', () => ({ startTls: true })],
    [
      'a custom filter with white space, one level, several bases',
      () => ({
        filter: '(& (mail=*) (| (uid=*) (cn=*) ) )',
        scope: 'one' as const,
        baseDns: [`ou=people,${slapd.suffix}`, `ou=groups,${slapd.suffix}`],
      }),
    ],
    ['a page size that the server refuses', () => ({ pageSize: 5_000 })],
  ])('reads the same over %s', async (_, changes) => {
    const { addresses, report } = await read(changes());
    expect([...addresses].sort()).toEqual(everyone);
    expect(report.complete).toBe(true);
  });

  const encrypted = (server: Slapd, how: 'LDAPS' | 'StartTLS'): Partial<LdapSourceOptions> =>
    how === 'LDAPS' ? { urls: [server.ldapsUrl] } : { urls: [server.url], startTls: true };

  describe.each(['LDAPS', 'StartTLS'] as const)('%s', (how) => {
    it('refuses a server whose CA is not trusted', async () => {
      await expect(
        read({ ...encrypted(slapd, how), tls: { verify: true, ca: slapd.pki.otherCa } }),
      ).rejects.toThrow(/TLS: .*CA/);
      await expect(read({ ...encrypted(slapd, how), tls: { verify: true } })).rejects.toThrow(/TLS: .*CA/);
    });

    it('refuses a certificate of another name, unless that is the name asked for', async () => {
      const wrong = await startSlapd({ certificate: 'wrong' });
      try {
        const over = encrypted(wrong, how);
        await expect(read({ ...over, tls: { verify: true, ca: wrong.pki.ca } })).rejects.toThrow(
          /names another host/,
        );
        const named = await read({
          ...over,
          tls: { verify: true, ca: wrong.pki.ca, servername: 'other.invalid' },
        });
        expect(named.report.complete).toBe(true);
      } finally {
        await wrong.remove();
      }
    });

    it('refuses an expired certificate, unless told not to verify, and says so', async () => {
      const expired = await startSlapd({ certificate: 'expired' });
      try {
        const over = encrypted(expired, how);
        await expect(read({ ...over, tls: { verify: true, ca: expired.pki.ca } })).rejects.toThrow(/expired/);
        const blind = await read({ ...over, tls: { verify: false } });
        expect(blind.report.description).toContain('not verified');
      } finally {
        await expired.remove();
      }
    });
  });

  it.each([
    ['a wrong password', { bindPassword: 'open-sesame' }, /invalid credentials \(result 49/],
    [
      'a base that is not there',
      { baseDns: ['ou=nowhere,dc=example,dc=com'] },
      /below ou=nowhere.*no such object \(result 32/,
    ],
    ['a password that is empty', { bindPassword: '' }, /password of cn=reader.* is empty/],
    ['a plain port spoken to in TLS', { urls: ['ldaps'] }, /TLS|closed the connection/],
  ])('fails on %s', async (_, changes, message) => {
    const urls = 'urls' in changes ? [slapd.url.replace('ldap:', 'ldaps:')] : options.urls;
    const failed = read({ ...changes, urls });
    await expect(failed).rejects.toMatchObject({ name: 'RollcallError', code: 'source' });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.not.toThrow(/open-sesame|reader-secret/);
  });

  it('fails when the server limits even paged answers', async () => {
    const small = await startSlapd({ ldif: makePeople(300).ldif, limits: { total: 200 } });
    try {
      await expect(read({ urls: [small.url] })).rejects.toThrow(/limit exceeded \(result (4|11)/);
    } finally {
      await small.remove();
    }
  });

  it('asks for TLS when the server refuses plain binds', async () => {
    const strict = await startSlapd({ requireTls: true });
    try {
      await expect(read({ urls: [strict.url] })).rejects.toMatchObject({
        message: expect.stringContaining('result 13') as string,
        hint: expect.stringContaining('startTls') as string,
      });
    } finally {
      await strict.remove();
    }
  });

  it('never counts an anonymous read as complete', async () => {
    const open = await startSlapd({ ldif: makePeople(10).ldif, anonymousReads: true });
    try {
      const { report, addresses } = await read({
        urls: [open.url],
        bindDn: undefined,
        bindPassword: undefined,
      });
      expect(addresses.length).toBeGreaterThan(10);
      expect(report.complete).toBe(false);
      expect(report.reasons.join()).toContain('anonymously');
    } finally {
      await open.remove();
    }
  });

  it('tries the servers in order, and names all that failed', async () => {
    const [dead, deadToo] = [await freePort(), await freePort()];
    const nobody = `ldap://127.0.0.1:${String(dead)}`;
    const { report } = await read({ urls: [nobody, slapd.url] });
    expect(report.complete).toBe(true);
    expect(report.description).toContain(slapd.url);
    await expect(read({ urls: [nobody, `ldap://127.0.0.1:${String(deadToo)}`] })).rejects.toThrow(
      new RegExp(`${String(dead)}: connection refused.*${String(deadToo)}: connection refused`),
    );
  });

  it('does not try a wrong password at every server', async () => {
    const dead = await freePort();
    const failed = read({ urls: [slapd.url, `ldap://127.0.0.1:${String(dead)}`], bindPassword: 'wrong' });
    await expect(failed).rejects.toThrow(/result 49/);
    await expect(failed).rejects.not.toThrow(/refused/);
  });

  it('sees less behind an ACL, as the guard has to know', async () => {
    const hiding = await startSlapd({ ldif: makePeople(100).ldif, hide: hideEven });
    try {
      const { entries } = await read({ urls: [hiding.url] });
      expect(entries).toHaveLength(50);
    } finally {
      await hiding.remove();
    }
  });

  it.each([
    ['plain', false],
    ['StartTLS', true],
  ])('fails when slapd is killed in the middle (%s)', async (_, startTls) => {
    const doomed = await startSlapd({ ldif: people.ldif });
    try {
      let killed = false;
      const source = createLdapSource({
        ...options,
        urls: [doomed.url],
        startTls,
        tls: { verify: true, ca: doomed.pki.ca },
        timeoutMs: 3_000,
      });
      const reading = readWhole(source, {
        onBatch: async () => {
          if (!killed) await doomed.kill();
          killed = true;
        },
      });
      await expect(reading).rejects.toMatchObject({
        code: 'source',
        message: expect.stringMatching(/closed|lost|socket/i) as string,
      });
    } finally {
      await doomed.remove();
    }
  });

  it('stops when the signal says so', async () => {
    const stop = new AbortController();
    const reading = readWhole(createLdapSource(options), {
      signal: stop.signal,
      onBatch: () => stop.abort(new Error('enough')),
    });
    await expect(reading).rejects.toThrow('enough');
  });
});
