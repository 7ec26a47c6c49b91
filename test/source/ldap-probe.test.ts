/** What a probe says of a server that refuses a part, against a scripted one: the same as a read does, or less bad. */
import { expect, it } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
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
