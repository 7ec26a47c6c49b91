/** Entries of a directory: what becomes of their attributes, and what makes an entry or a read doubtful. */
import { describe, expect, it } from 'vitest';
import type { Reply } from '../support/fake-ldap.js';
import { base, pages, person, read, start, type Script } from './fake-directory.js';

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
    const { entries, problems } = await read(server);
    expect(problems).toEqual([{ where: `cn=One,${base}`, reason: 'a value of mail is not UTF-8' }]);
    // The sync has to hear of it, to keep what the entry had.
    expect(entries).toMatchObject([{ id: 'a', addresses: [], doubtful: true }]);
  });

  it('reads addresses as they are written into lists', async () => {
    const server = await start(
      one({
        entryUUID: 'a',
        mail: ['mailto:one@example.com', ' Two <two@example.com> ', 'p3@example.com, p3b@example.com'],
        mailAlternateAddress: ['john smith@example.com', 'sip:x@example.com', 'nobody'],
      }),
    );
    const { addresses, entries } = await read(server);
    expect(addresses).toEqual([
      'one@example.com',
      'two@example.com',
      'p3@example.com',
      'p3b@example.com',
      'john smith@example.com',
    ]);
    expect(entries[0]?.doubtful).toBeUndefined();
  });

  it.each(['one@', '@example.com', 'one@@example.com', 'x@example.com, two@'])(
    'doubts an entry with the value %j, and tells of it',
    async (value) => {
      const server = await start(one({ entryUUID: 'a', mail: ['one@example.com', value] }));
      const { entries, problems, report } = await read(server);
      expect(entries).toMatchObject([
        { doubtful: true, addresses: [{ value: 'one@example.com' }, ...(value.startsWith('x') ? [{}] : [])] },
      ]);
      expect(problems).toEqual([
        { where: `cn=One,${base}`, reason: expect.stringMatching(/^mail: /) as string },
      ]);
      expect(report.complete).toBe(true);
    },
  );

  it('doubts one of several bases that gives no entry', async () => {
    const empty = `ou=moved,${base}`;
    const server = await start((request, reply) => {
      if (request.baseDn !== empty) person(reply, 1);
      reply.done({ cookie: '' });
    });
    const { report } = await read(server, { baseDns: [base, empty] });
    expect(report.complete).toBe(false);
    expect(report.reasons).toEqual([expect.stringContaining(`${empty} gave no entry`)]);
    expect((await read(server, { baseDns: [base, `ou=people,${base}`] })).report.complete).toBe(true);
    expect((await read(server, { baseDns: [empty] })).report.complete).toBe(true); // the guard’s to refuse
  });

  it.each([
    ['ldap://example.com/CN=Configuration,DC=example,DC=com', true],
    ['ldap://example.com/CN=Schema,CN=Configuration,DC=example,DC=com', true],
    ['ldap://DomainDnsZones.example.com/DC=DomainDnsZones,DC=example,DC=com', true],
    ['ldaps://ForestDnsZones.example.com:636/dc%3dForestDnsZones%2cDC=example,DC=com??sub', true],
    ['ldap://child.example.com/DC=child,DC=example,DC=com', false],
    ['ldap://child.example.com/DC=child,DC=example,DC=com??base?CN=Configuration', false],
    ['ldap://configuration.example.com/DC=Configuration,DC=example,DC=com', false],
    ['ldap://example.com', false],
  ])('of Active Directory’s references, %s is harmless: %s', async (uri, complete) => {
    const server = await start(
      one({ objectGUID: guid, mail: 'one@example.com' }, (reply) => reply.reference(uri)),
    );
    const { report } = await read(server, { preset: 'active-directory' });
    expect(report.complete).toBe(complete);
    expect(report.reasons.join()).toMatch(
      complete ? /^$/ : /^people may stand behind ldap.*global catalog \(port 3268\)/,
    );
  });

  it('names a few of many references', async () => {
    const many = (reply: Reply): void => {
      for (let number = 0; number < 30; number += 1)
        reply.reference(`ldap://d${String(number)}.example.com/DC=d${String(number)},DC=example,DC=com`);
    };
    const server = await start(one({ objectGUID: guid, mail: 'one@example.com' }, many));
    const { report } = await read(server, { preset: 'active-directory' });
    expect(report.reasons).toEqual([expect.stringMatching(/d9,DC=example,DC=com and 20 more/)]);
  });

  it.each([
    ['openldap', false],
    ['389ds', false],
    ['active-directory', false],
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
