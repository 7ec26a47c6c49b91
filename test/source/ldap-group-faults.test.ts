/** Groups on servers that are particular, or fail: against a scripted server that compares names octet by octet. */
import { expect, it } from 'vitest';
import type { FakeSearch, Reply } from '../support/fake-ldap.js';
import { base, person, read, start, type Script } from './fake-directory.js';

const all = `cn=all,${base}`;
const elsewhere = 'dc=other,dc=net';
const members = { of: [all], nested: true, includeGroups: false };
const rootDse = {
  supportedControl: ['1.2.840.113556.1.4.319'],
  namingContexts: [base, elsewhere],
};

type Groups = Readonly<Record<string, readonly string[]>>;
const isListing = ({ scope, filter }: FakeSearch): boolean =>
  scope !== 'base' && filter.includes('groupofnames');

/** p1 to p3 are people; `others` are entries that are only there, under the name they go by. */
const directory =
  (groups: Groups, others: Readonly<Record<string, string>> = {}): Script =>
  (request, reply) => {
    if (isListing(request)) {
      for (const dn of Object.keys(groups)) if (dn.endsWith(request.baseDn)) reply.entry(dn, {});
      reply.done({ cookie: '' });
    } else if (request.scope === 'base') answerOne(groups, others, request, reply);
    else {
      for (const n of [1, 2, 3]) person(reply, n);
      reply.done({ cookie: '' });
    }
  };

function answerOne(
  groups: Groups,
  others: Readonly<Record<string, string>>,
  request: FakeSearch,
  reply: Reply,
) {
  const { baseDn, filter } = request;
  const asksForGroups = filter.includes('groupofnames');
  const group = groups[baseDn];
  const name = others[baseDn];
  if (group !== undefined) reply.entry(baseDn, { objectClass: ['groupOfNames'], member: [...group] });
  else if ((name !== undefined || baseDn === base) && !asksForGroups) reply.entry(name ?? baseDn, {});
  else if (name === undefined) {
    reply.done({ code: 32 });
    return;
  }
  reply.done();
}

const p = (n: number): string => `uid=p${n},${base}`;

it('a nested group is asked for by the name that its server gives it', async () => {
  const nested = `cn=ﬁnance Café,${base}`;
  const server = await start(directory({ [all]: [p(1), nested], [nested]: [p(2)] }), { rootDse });
  const { addresses, report } = await read(server, { members });
  expect(addresses).toEqual(['p1@example.com', 'p2@example.com']);
  expect(report).toMatchObject({ complete: true, reasons: [] });
});

it('a nested group in another naming context was not followed: a doubt, until it is named itself', async () => {
  const far = `cn=far,${elsewhere}`;
  const server = await start(directory({ [all]: [p(1), far], [far]: [p(2)] }, { [elsewhere]: elsewhere }), {
    rootDse,
  });
  const first = await read(server, { members });
  expect(first.addresses).toEqual(['p1@example.com']);
  expect(first.report.reasons).toEqual([
    `group ${far} is a member and was not followed: name it in members.of as well`,
  ]);
  const named = await read(server, { members: { ...members, of: [all, far] } });
  expect(named.addresses).toEqual(['p1@example.com', 'p2@example.com']);
  expect(named.report.complete).toBe(true);
});

it('a member that the server calls by another name is a doubt: the read may have met it under that', async () => {
  const written = `emailaddress=p9@example.com,${base}`;
  const server = await start(
    directory({ [all]: [p(1), written] }, { [written]: `e=p9@example.com,${base}` }),
    { rootDse },
  );
  const { report } = await read(server, { members });
  expect(report.complete).toBe(false);
  expect(report.reasons.join()).toContain(`is called e=p9@example.com,${base} by the server`);
});

it.each([
  ['does not fit one answer', (reply: Reply) => reply.raw(tooLong()), /message of more than 8388608 octets/],
  ['ends the connection', (reply: Reply) => reply.reset(), /closed|reset/i],
])('a member group that %s fails the run, by name', async (_, fail, message) => {
  const nested = `cn=huge,${base}`;
  const rest = directory({ [all]: [p(1), nested], [nested]: [p(2)] });
  const server = await start(
    (request, reply) => {
      if (request.scope === 'base' && request.baseDn === nested) fail(reply);
      else rest(request, reply);
    },
    { rootDse },
  );
  const failure: unknown = await read(server, { members }).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'source',
    message: expect.stringMatching(message) as string,
    hint: expect.stringContaining('(memberOf=…)') as string,
  });
  expect(failure).toMatchObject({ message: expect.stringContaining(`group ${nested}`) as string });
});

/** The beginning of a message (RFC 4511 §4.1.1) of 16 MiB. */
function tooLong(): Buffer {
  return Buffer.concat([Buffer.from([0x30, 0x84, 0x01, 0x00, 0x00, 0x00]), Buffer.alloc(9 * 1024 * 1024)]);
}
