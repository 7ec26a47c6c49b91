/** `rollcall source test`: what it says of a real slapd that is well, and of each way in which it is not; and of a CSV file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { SourceTests, type SourceTested } from '../support/source-test.js';

const tests = new SourceTests();
afterAll(() => tests.remove());

describe.skipIf(!haveSlapd)('on a real slapd', () => {
  let slapd: Slapd;
  let staff: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: makePeople(300).ldif });
    staff = {
      kind: 'ldap',
      url: slapd.ldapsUrl,
      tls: { ca: tests.file('ca.pem', slapd.pki.ca) },
      bindDn: slapd.reader.dn,
      bindPassword: { file: tests.file('password', slapd.reader.password) },
      baseDn: slapd.suffix,
    };
  });
  afterAll(async () => {
    await slapd.remove();
  });

  it('that is well: who, what, ten objects, how many, paging', async () => {
    const { status, out } = await tests.run(staff);
    const lines = out.split('\n');
    expect(lines[0]).toBe('Source staff, ldap');
    expect(lines).toContain(`  server      ${slapd.ldapsUrl}, OpenLDAP`);
    expect(lines).toContain(`  bound as    dn:${slapd.reader.dn}`);
    expect(out).toMatch(
      /^ {2}encryption {2}TLSv1\.3, certificate for .*127\.0\.0\.1.* until \d{4}-\d\d-\d\d$/m,
    );
    expect(out).toMatch(/^ {2}entries {5}315, counted; a whole read takes about \d+ s$/m);
    expect(lines).toContain('The first 10 objects:');
    expect(lines).toContain(`  uid=person5,ou=people,${slapd.suffix}  (user)`);
    expect(lines).toContain('    person5.proxy@example.com  (proxyAddresses)');
    expect(lines).toContain('ok     paging works: a second page goes on where the first ended');
    expect(lines).toContain('ok     the connection is encrypted, and the certificate was verified');
    expect(out).toMatch(/^0 errors, \d+ warnings?, \d+ well\.$/m);
    expect(status).toBe(0);
  });

  it('as JSON', async () => {
    const { status, out } = await tests.run(staff, '--json');
    const json = JSON.parse(out) as { sample: unknown[] };
    expect(json).toMatchObject({
      source: 'staff',
      kind: 'ldap',
      ok: true,
      estimate: { entries: 315, exact: true },
    });
    expect(json.sample).toHaveLength(10);
    expect(json.sample[0]).toMatchObject({ addresses: [{ attribute: 'mail' }] });
    expect(status).toBe(0);
  });

  const bad = (changes: object): Promise<SourceTested> => tests.run({ ...staff, ...changes });

  it('anonymous: such a read removes nobody', async () => {
    const { status, out } = await bad({ bindDn: undefined, bindPassword: undefined });
    expect(status).toBe(1);
    expect(out).toContain('bound as    nobody (anonymous)');
    expect(out).toContain('error  the bind is anonymous');
  });

  it('a wrong password: said once, with what to do', async () => {
    const { status, out } = await bad({ bindPassword: { file: tests.file('wrong', 'not the password') } });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}ldaps:.*invalid credentials \(result 49\)$/m);
    expect(out).toContain('mend: Check bindDn and bindPassword.');
    expect(out).not.toContain('not the password');
  });

  it('a first server that cannot be reached, and a page size that is refused: warnings', async () => {
    const port = await freePort();
    const { status, out } = await bad({ url: [`ldaps://127.0.0.1:${port}`, slapd.ldapsUrl], pageSize: 5000 });
    expect(status).toBe(0);
    expect(out).toContain(`warn   ldaps://127.0.0.1:${port}: connection refused: nothing listens there`);
    expect(out).toContain('why: Runs use the next server in url.');
    expect(out).toContain('warn   the server refuses pages of 5000 entries (result 11)');
  });

  it('a certificate of another CA', async () => {
    const { status, out } = await bad({ tls: {} });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}.*TLS: .*tls\.ca/m);
  });

  it('no encryption on this machine is told, and no warning', async () => {
    const { status, out } = await bad({ url: slapd.url, tls: {} });
    expect(status).toBe(0);
    expect(out).toContain('encryption  none, on this machine');
  });

  it('a password over plain LDAP to what is not this machine for certain: a warning, and only when it was allowed', async () => {
    const url = slapd.url.replace('127.0.0.1', '0.0.0.0');
    const refused = await bad({ url, tls: {} });
    expect(refused.status).toBe(2);
    expect(refused.err).toContain('would send the password unencrypted');
    const { status, out } = await bad({ url, tls: {}, allowUnencrypted: true });
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}encryption {2}none$/m);
    expect(out).toMatch(/^warn {3}the password travels unencrypted$/m);
    expect(out).toContain('mend: Use ldaps://, or set startTls to true.');
    const upgraded = await bad({ url, startTls: true, tls: { ...tlsOf(staff), servername: '127.0.0.1' } });
    expect(upgraded.status).toBe(0);
    expect(upgraded.out).not.toContain('travels unencrypted');
  });

  it('a filter that finds nobody, a base that is not there, a group that is not there', async () => {
    const nobody = await bad({ filter: '(mail=nobody@*)' });
    expect(nobody.status).toBe(1);
    expect(nobody.out).toContain(`error  the filter finds nobody below ${slapd.suffix}`);
    const nowhere = await bad({ baseDn: `ou=nowhere,${slapd.suffix}` });
    expect(nowhere.status).toBe(1);
    expect(nowhere.out).toContain('no such object (result 32)');
    const noGroup = await bad({ members: { of: `cn=nosuch,${slapd.suffix}` } });
    expect(noGroup.status).toBe(1);
    expect(noGroup.out).toContain(`group cn=nosuch,${slapd.suffix} is not there`);
  });

  it('of two bases one without anybody: no run would count as complete', async () => {
    const { status, out } = await bad({
      baseDn: [`ou=people,${slapd.suffix}`, `ou=services,${slapd.suffix}`],
    });
    expect(status).toBe(1);
    expect(out).toContain(`error  ou=services,${slapd.suffix} gave no entry`);
    expect(out).toContain('why: A read would not count as complete');
  });

  it('members only: their number', async () => {
    const { status, out } = await bad({ members: { of: [`cn=group20,ou=groups,${slapd.suffix}`] } });
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}entries {5}2, counted/m);
    expect(out).toContain('ok     every run reads everything, because of members or exclude.filter');
  });

  it('with addresses left out: the sample is without them', async () => {
    const { status, out } = await bad({ exclude: { patterns: ['*.proxy@example.com'] } });
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}exclude {5}10 of 10 objects shown, 2 addresses left out by exclude$/m);
    expect(out).not.toContain('.proxy@');
  });

  it('encryption that the server demands: a run would fail', async () => {
    await slapd.restart({ requireTls: true });
    const { status, out } = await bad({ url: slapd.url, tls: {} });
    await slapd.restart({ requireTls: false });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}.*confidentiality required \(result 13/m);
    expect(out).toContain('mend: Use ldaps:// or startTls: the server wants TLS first.');
  });

  it('a size limit over all pages: a run would fail', async () => {
    await slapd.restart({ limits: { total: 100 } });
    const { status, out } = await bad({ pageSize: 50 });
    await slapd.restart({ limits: {} });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}.*size limit exceeded \(result 4\)$/m);
    expect(out).toContain('The first 10 objects:');
  });
});

describe('a CSV file', () => {
  const csv = (text: string): object => ({ kind: 'csv', path: tests.file('people.csv', text) });

  it('what it was taken for, rows and addresses, what was skipped', async () => {
    const { status, out } = await tests.run(
      csv('mail;proxyAddresses\nada@example.com;smtp:a@example.com\nbob@example.com;\nno address;\n'),
    );
    expect(out).toContain('Source staff, csv');
    expect(out).toMatch(/^ {2}read {8}.*people\.csv/m);
    expect(out).toContain('    a@example.com  (proxyAddresses)');
    expect(out).toMatch(/^warn {3}line 4/m);
    expect(status).toBe(1); // a third of the rows is bad
    expect(out).toContain('error  the read does not count as complete');
  });

  it('exclusions hold here too', async () => {
    const source = {
      ...csv('mail\nada@example.com\nsvc-x@example.com\n'),
      exclude: { patterns: ['svc-*@*.com'] },
    };
    const { status, out } = await tests.run(source);
    expect(out).toMatch(/1 address left out by exclude/);
    expect(out).not.toContain('svc-x@example.com');
    expect(status).toBe(0);
  });

  it('one that is not there', async () => {
    const { status, out } = await tests.run({ kind: 'csv', path: tests.path('missing.csv') });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}.*missing\.csv/m);
  });
});

function tlsOf(source: Readonly<Record<string, unknown>>): object {
  return source['tls'] as object;
}

it('a source that is not configured, or is only asked, is a mistake in the command', async () => {
  const asked = await tests.run({ kind: 'smtp', hosts: '127.0.0.1' });
  expect(asked.status).toBe(2);
  expect(asked.err).toContain('kind smtp');
});
