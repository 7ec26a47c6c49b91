/** `rollcall source test` of a real Samba AD: what it says of rights that DirSync lacks, and of a plain bind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveSamba, startSamba, type Samba } from '../support/samba.js';
import { SourceTests, type SourceTested } from '../support/source-test.js';
import { ldif, makeKinds } from '../support/staff.js';

describe.skipIf(!haveSamba)('rollcall source test on a real Samba AD', () => {
  const tests = new SourceTests();
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba({ ldif: makeKinds().ldif });
    // whoever may read deleted objects is to find one
    await samba.modify(ldif.contact('Gone', 'gone@example.test'));
    await samba.modify(ldif.remove('Gone'));
  }, 240_000);
  afterAll(async () => {
    await samba.remove();
    tests.remove();
  });

  const tested = (account: 'admin' | 'replicator' | 'reader', changes: object = {}): Promise<SourceTested> =>
    tests.run({
      kind: 'ldap',
      preset: 'active-directory',
      url: samba.ldapsUrl,
      tls: { ca: tests.file('ca.pem', samba.pki.ca), servername: samba.tls.servername },
      bindDn: samba[account].dn,
      bindPassword: { file: tests.file('password', samba[account].password) },
      baseDn: samba.suffix,
      ...changes,
    });

  it('an account that may do it all: who, what, and that changes can be read', async () => {
    const { status, out } = await tested('admin');
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}controller {2}dc1\.example\.test of DC=example,DC=test/m);
    // ten of eleven, in the server's order
    expect(out).toMatch(/^ {4}[\w.]+@example\.test {2}\(proxyAddresses\)$/m);
    expect(out).toMatch(/^ok {5}changes can be read, by DirSync$/m);
  });

  it('without the right for DirSync: a warning, with the right to give', async () => {
    const { status, out } = await tested('reader');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^warn {3}changes can be read by DirSync, but only of what this account may read itself/m,
    );
    expect(out).toContain('why: Deletions are seen by a listing of everything');
    expect(out).toContain('mend: Give the account "Replicating Directory Changes" on the domain.');
  });

  it.each([
    ['with that right where it shows no deletions, as in Samba', 'replicator', 'ldapsUrl', 'DirSync'],
    ['at the global catalog', 'reader', 'globalCatalogUrl', 'update sequence numbers'],
  ] as const)('%s: a warning of its own', async (_, account, door, way) => {
    const { status, out } = await tested(account, { url: samba[door] });
    expect(status).toBe(0);
    expect(out).toContain(
      `warn   changes can be read, by ${way}, but nothing shows that this account sees deletions`,
    );
    expect(out).toContain('mend: Let the account read deleted objects');
  });

  it('a plain bind that the domain controller refuses: a run would fail', async () => {
    const { status, out } = await tested('reader', { url: samba.url, tls: {} });
    expect(status).toBe(1);
    expect(out).toMatch(/^error {2}.*stronger authentication required \(result 8/m);
    expect(out).toContain('mend: Use ldaps:// or startTls');
  });
});
