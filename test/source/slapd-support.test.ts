import { Client } from 'ldapts';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { requirePeer } from '../support/peers.js';
import { haveSlapd, hideEven, makePeople, startSlapd, type Slapd } from '../support/slapd.js';

describe('a peer that is missing', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('skips tests, and fails them with CI=true', () => {
    vi.stubEnv('CI', '');
    expect(requirePeer('nothing', ['no-such-command'])).toBe(false);
    vi.stubEnv('CI', 'true');
    expect(() => requirePeer('nothing', ['sh', 'no-such-command'])).toThrow(/peer nothing .*no-such-command/);
    expect(requirePeer('shell', ['sh'])).toBe(true);
  });
});

describe.skipIf(!haveSlapd)('the private slapd of the tests', () => {
  const people = makePeople(600);
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif });
  });
  afterAll(async () => {
    await slapd.remove();
  });

  async function count(who?: { dn: string; password: string }): Promise<number> {
    const client = new Client({ url: slapd.url });
    try {
      if (who !== undefined) await client.bind(who.dn, who.password);
      const found = await client.search(slapd.suffix, {
        filter: '(mail=*)',
        paged: true,
        attributes: ['mail'],
      });
      return found.searchEntries.length;
    } finally {
      await client.unbind();
    }
  }

  it('shows everything to the admin and, paged, to the reader', async () => {
    expect(await count(slapd.admin)).toBe(630);
    expect(await count(slapd.reader)).toBe(630);
  });

  it('shows nothing to anonymous', async () => {
    await expect(count()).rejects.toThrow();
  });

  it('adds, modifies, deletes, hides, and starts again on the same port after a kill', async () => {
    const more = makePeople(2, { from: 9_001 });
    await slapd.add(more.ldif);
    await slapd.modify(
      `dn: ${more.dns[0] ?? ''}\nchangetype: modify\nreplace: mail\nmail: other@example.com\n`,
    );
    expect(await count(slapd.reader)).toBe(632);
    await slapd.delete(more.dns);
    await slapd.kill();
    await expect(count(slapd.reader)).rejects.toThrow();
    await slapd.start();
    expect(await count(slapd.reader)).toBe(630);
    await slapd.restart({ hide: hideEven });
    expect(await count(slapd.reader)).toBe(300);
    await slapd.restart({ hide: undefined });
    expect(await count(slapd.reader)).toBe(630);
  });
});
