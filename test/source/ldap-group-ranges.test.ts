/** Members that come in ranges, as Active Directory gives them, against a scripted server. */
import { expect, it } from 'vitest';
import { base, person, read, start, type Script } from './fake-directory.js';

const group = `cn=all,${base}`;
const member = (n: number): string => `uid=p${n},${base}`;

/** Two values at a time of p1 to p5; `stuck` repeats the first range for ever. */
const script =
  (stuck: boolean): Script =>
  (request, reply) => {
    const asked = request.attributes.map((name) => /^member;range=(\d+)-\*$/.exec(name)?.[1]).find(Boolean);
    if (request.scope !== 'base') {
      for (const n of [1, 2, 3, 4, 5, 6]) person(reply, n);
      reply.done({ cookie: '' });
      return;
    }
    const from = Number(asked ?? 0);
    const values = [1, 2, 3, 4, 5].slice(from, from + 2).map(member);
    const end = stuck ? 1 : from + 2 >= 5 ? '*' : from + 1;
    reply.entry(group, { [`member;range=${from}-${end}`]: values });
    reply.done();
  };

const members = { of: [group], nested: false, includeGroups: false };

it('are fetched to the end', async () => {
  const { addresses, report } = await read(await start(script(false)), { members });
  expect(addresses).toEqual([1, 2, 3, 4, 5].map((n) => `p${n}@example.com`));
  expect(report.complete).toBe(true);
});

it('a server that does not get on fails the run', async () => {
  await expect(read(await start(script(true)), { members })).rejects.toMatchObject({
    code: 'source',
    message: expect.stringMatching(/cannot be read: the server/) as string,
  });
});
