/** `rollcall source test` of a Graph source, against the local Graph: what it says of one that is well, and of one that is not. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GraphSourceOptions } from '../../src/source/graph/options.js';
import type { ProbeReport } from '../../src/source/probe.js';
import { createApplicationKey } from '../support/application-key.js';
import { FakeClock, graphSource } from '../support/graph-client.js';
import { fail } from '../support/graph-reply.js';
import { clientId, startGraph, tenantId, throttled, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';

let pki: Pki;
let graph: LocalGraph;
const app = createApplicationKey();
beforeAll(() => {
  pki = createPki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  graph = await startGraph({ pki, application: { certificate: app.certificate } });
  const { directory } = graph;
  for (let i = 0; i < 250; i += 1) directory.addUser(`p${i}@example.com`, [`alias${i}@example.com`]);
  directory.add('groups', { mail: 'sales@example.com', proxyAddresses: ['SMTP:sales@example.com'] });
  directory.add('contacts', { mail: 'partner@example.com' });
});
afterEach(() => graph.stop());

const signal = new AbortController().signal;
async function probe(
  changes: Partial<GraphSourceOptions> = {},
  clock = new FakeClock(),
): Promise<ProbeReport> {
  const report = await graphSource(graph, pki, changes, clock).probe?.({ signal });
  if (report === undefined) throw new Error('it has no probe');
  return report;
}
const of = (report: ProbeReport, level: string): string[] =>
  report.findings.filter((each) => each.level === level).map(({ what }) => what);

describe('a source that is well', () => {
  it('tells who, with which permissions, how many, and ten of them with their addresses', async () => {
    const report = await probe();
    expect(report.facts).toEqual([
      { name: 'server', value: new URL(graph.origin).host },
      { name: 'bound as', value: `application ${clientId} (Rollcall) in tenant ${tenantId}` },
      { name: 'permissions', value: 'User.Read.All, GroupMember.Read.All, OrgContact.Read.All' },
    ]);
    expect(report.estimate).toMatchObject({ entries: 252, exact: false });
    expect(report.sample).toHaveLength(10);
    expect(new Set(report.sample.map(({ kind }) => kind))).toEqual(new Set(['user', 'group', 'contact']));
    expect(report.sample[0]?.addresses.map(({ value }) => value)).toEqual([
      'p0@example.com',
      'alias0@example.com',
    ]);
    expect(of(report, 'ok')).toEqual([
      'the token service gives a token',
      'the application may read users: User.Read.All',
      'the application may read groups: GroupMember.Read.All',
      'the application may read contacts: OrgContact.Read.All',
      'users can be read and counted: 250',
      'users come in pages, and the next one follows',
      'changes of users can be read',
      'groups can be read and counted: 1',
      'changes of groups can be read',
      'contacts can be read and counted: 1',
      'changes of contacts can be read',
      'one address can be asked for (confirm on a miss)',
    ]);
    expect(report.findings).toHaveLength(12);
  });

  it('reads some pages of a large one, and no more', async () => {
    graph.delta.pageSize = 10;
    const report = await probe();
    expect(graph.requests.filter(({ url }) => url.includes('users/delta'))).toHaveLength(6);
    expect(of(report, 'ok')).toContain('changes of users can be read');
    expect(report.estimate?.entries).toBe(252);
  });

  it('shows neither secret nor token', async () => {
    const shown = JSON.stringify(await probe());
    expect(shown).not.toContain('client~secret');
    for (const token of graph.login.issued) expect(shown).not.toContain(token.slice(-20));
  });
});

describe('what would go wrong', () => {
  it('names a permission that is missing, and tries the rest all the same', async () => {
    graph.granted.delete('GroupMember.Read.All');
    const report = await probe();
    expect(of(report, 'warn')).toEqual(['the application has no permission to read groups']);
    expect(of(report, 'error')).toEqual([expect.stringMatching(/^groups: .*needs GroupMember\.Read\.All/)]);
    expect(of(report, 'ok')).toContain('contacts can be read and counted: 1');
    expect(report).not.toHaveProperty('estimate');
  });

  it('throws when there is no token at all', async () => {
    const credential = { kind: 'secret', secret: 'wrong' } as const;
    await expect(probe({ credential })).rejects.toMatchObject({
      code: 'source',
      message: expect.stringMatching(/the client secret is wrong/) as string,
    });
  });

  it('says that the application may do more than read', async () => {
    graph.granted.add('User.ReadWrite.All').add('Mail.Send');
    expect(of(await probe(), 'warn')).toEqual([
      'the application may do more than read: User.ReadWrite.All, Mail.Send',
    ]);
  });

  it('says when a certificate ends, and warns of it', async () => {
    const credential = { kind: 'certificate', ...app } as const;
    const clock = new FakeClock();
    expect(of(await probe({ credential }, clock), 'warn')).toEqual([
      expect.stringMatching(/^the certificate of the application ends on \d{4}-\d\d-\d\d$/),
    ]);
    clock.time -= 60 * 86_400_000;
    expect(of(await probe({ credential }, clock), 'ok')[1]).toMatch(/is good until \d{4}-\d\d-\d\d$/);
  });

  it('warns of what is not read, and of groups that show no address', async () => {
    expect(of(await probe({ include: ['users'] }), 'warn')).toEqual(['groups and contacts are not read']);
    const { directory } = graph;
    const [group] = directory.all('groups');
    directory.set('groups', group?.id ?? '', { mail: null, proxyAddresses: [] });
    expect(of(await probe(), 'warn')).toEqual(['none of the first 1 groups has an address']);
  });

  it('warns of questions that are not answered as documented: by id, and by address', async () => {
    const reply = fail(400, 'Request_UnsupportedQuery', 'Unsupported.');
    graph.faults.push({ path: /filter=/, times: Infinity, reply });
    const report = await probe();
    expect(of(report, 'error')).toEqual([]);
    expect(of(report, 'warn')).toEqual([
      expect.stringMatching(/^users cannot be read by their id/),
      expect.stringMatching(/^groups cannot be read by their id/),
      expect.stringMatching(/^contacts cannot be read by their id/),
      expect.stringMatching(/^one address cannot be asked for/),
    ]);
  });

  it('says that it is throttled, without waiting long', async () => {
    graph.faults.push({ path: /users/, times: Infinity, reply: throttled(10) });
    const clock = new FakeClock();
    const report = await probe({}, clock);
    expect(of(report, 'error')).toEqual([expect.stringMatching(/^users: .*the tenant is throttled/)]);
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(30_000);
  });
});
