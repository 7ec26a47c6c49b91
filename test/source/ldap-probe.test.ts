/** What a probe says of a server that refuses a part, against a scripted one: the same as a read does, or less bad. */
import { expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import { startFakeLdap } from '../support/fake-ldap.js';
import { optionsFor, person, read, start } from './fake-directory.js';

it('a search for changes that is refused: a warning, as a run then reads everything', async () => {
  const server = await start((request, reply) => {
    if (request.filter.includes('modifytimestamp')) {
      reply.done({ code: 50, message: 'not for you' });
      return;
    }
    person(reply, 1);
    reply.done({ cookie: '' });
  });
  expect((await read(server)).report.complete).toBe(true);
  const source = createLdapSource(optionsFor(server.url, {}));
  const report = await source.probe?.({ signal: new AbortController().signal });
  expect(report?.findings.filter(({ level }) => level !== 'ok')).toEqual([
    expect.objectContaining({
      level: 'warn',
      what: expect.stringMatching(/does not tell this account what has changed: .*not for you/) as string,
    }),
  ]);
  expect(report?.estimate).toMatchObject({ entries: 1, exact: true });
});

it('a first server that is busy: a warning, as a run then goes on to the next', async () => {
  const busy = await startFakeLdap({ bindResult: { code: 51, message: 'busy' }, search: () => undefined });
  const server = await start((_, reply) => {
    person(reply, 1);
    reply.done({ cookie: '' });
  });
  const options = optionsFor('', { urls: [busy.url, server.url] });
  const report = await createLdapSource(options).probe?.({ signal: new AbortController().signal });
  await busy.close();
  expect(report?.findings).toContainEqual(
    expect.objectContaining({ level: 'warn', why: 'Runs use the next server in url.' }),
  );
  expect(report?.sample).toHaveLength(1);
});

it.each([
  ['one count for all', { lastusn: ['500'] }, 'ok', 'changes can be read, by update sequence numbers'],
  [
    'a count for each',
    { 'lastusn;one': ['500'], 'lastusn;two': ['3'] },
    'warn',
    'changes can be read, by 2 counts',
  ],
])('several backends of a 389-ds with %s', async (_, counts, level, what) => {
  const server = await start(
    (request, reply) => {
      if (request.attributes.includes('mail')) person(reply, 1);
      reply.done({ cookie: '' });
    },
    { rootDse: { supportedControl: ['1.2.840.113556.1.4.319'], ...counts } },
  );
  const source = createLdapSource(
    optionsFor(server.url, { preset: '389ds', attributes: { id: 'entryUUID' } }),
  );
  const report = await source.probe?.({ signal: new AbortController().signal });
  expect(report?.findings).toContainEqual(
    expect.objectContaining({ level, what: expect.stringContaining(what) as string }),
  );
});

it('a search left in the middle is over before the next one begins: slapd mixes up two on one connection', async () => {
  let underWay = 0;
  let most = 0;
  const server = await start((request, reply) => {
    underWay += 1;
    most = Math.max(most, underWay);
    for (let number = 0; number < 10; number += 1) person(reply, number);
    const answer = (): void => {
      underWay -= 1;
      reply.done({ cookie: request.paged?.cookie === '' ? 'more' : '' });
    };
    if (request.paged?.cookie === '') answer();
    else setTimeout(answer, 20);
  });
  const source = createLdapSource(optionsFor(server.url, { pageSize: 10 }));
  const report = await source.probe?.({ signal: new AbortController().signal });
  expect(report?.sample).toHaveLength(10);
  expect(most).toBe(1);
});
