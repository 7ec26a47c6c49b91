/** Changes by modifyTimestamp and by entryusn, where the server's times and numbers are not to be trusted. */
import { describe, expect, it } from 'vitest';
import { formatGeneralizedTime, parseGeneralizedTime } from '../../src/source/ldap/generalized-time.js';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import { readChanges, type ChangesRead } from '../support/follow-source.js';
import type { FakeLdap, FakeLdapOptions } from '../support/fake-ldap.js';
import { readWhole } from '../support/read-source.js';
import { base, optionsFor, start } from './fake-directory.js';

const minute = 60_000;
const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** A server whose entries were changed at these times; `refuse` is the result of every search for times. */
function serverOf(
  times: () => readonly number[],
  refuse = 0,
  rest: Omit<FakeLdapOptions, 'search'> = {},
): Promise<FakeLdap> {
  return start((request, reply) => {
    const from = /modifyTimestamp>=(\w+)/i.exec(request.filter)?.[1];
    if (refuse !== 0 && /modifyTimestamp/i.test(request.filter)) {
      reply.done({ code: refuse });
      return;
    }
    const matching = [...times().entries()].filter(
      ([, time]) => from === undefined || time >= (parseGeneralizedTime(from) ?? 0),
    );
    const begin = Number(request.paged?.cookie ?? '');
    const end = begin + (request.paged?.size ?? Infinity);
    for (const [index, time] of matching.slice(begin, end)) {
      reply.entry(`uid=p${String(index)},${base}`, {
        entryUUID: id(index),
        mail: `p${String(index)}@example.com`,
        modifyTimestamp: formatGeneralizedTime(time),
      });
    }
    reply.done({ cookie: end < matching.length ? String(end) : '' });
  }, rest);
}

async function follow(server: FakeLdap, between: () => void = () => undefined): Promise<ChangesRead> {
  const source = createLdapSource(optionsFor(server.url, {}));
  const { report } = await readWhole(source);
  between();
  return readChanges(source, report.cursor);
}

describe('modifyTimestamp', () => {
  it('is searched from the newest that the server has shown, less five minutes, whatever our clock says', async () => {
    const newest = Date.now() - 3 * 24 * 60 * minute;
    const { report, told } = await follow(
      await serverOf(() => [newest - 10 * minute, newest - 4 * minute, newest]),
    );
    expect(report).toMatchObject({ doubts: [], proof: false });
    expect(told).toEqual([id(1), id(2)]);
    expect(report.description).toContain(formatGeneralizedTime(newest - 5 * minute));
  });

  it.each([
    ['oldest first', (times: number[]) => times],
    ['newest first', (times: number[]) => times.reverse()],
  ])('is found near the greatest where very many are new, %s', async (_, order) => {
    // one for each second of the last hour but its last minutes, after years without any
    const now = Date.now();
    const times = order(Array.from({ length: 3_000 }, (__, at) => now - 3_600_000 + at * 1_000));
    const server = await serverOf(() => times);
    const { report } = await readWhole(createLdapSource(optionsFor(server.url, {})));
    const { newest } = JSON.parse(report.cursor ?? '') as { newest: number };
    const greatest = Math.floor(Math.max(...times) / 1_000) * 1_000;
    expect(newest).toBeLessThanOrEqual(greatest);
    expect(newest).toBeGreaterThanOrEqual(greatest - 5 * minute);
    // the read itself, and the pages of a few looks; the search for containers finds all here, a real server none
    const looks = server.searches.filter(({ filter }) => /^\(modifyTimestamp/i.test(filter));
    expect(looks.length).toBeLessThan(15);
  });

  it('in the future hides nothing until then', async () => {
    const times = [Date.now() - 60 * minute, Date.now() + 1000 * 24 * 60 * minute];
    const { told } = await follow(await serverOf(() => times), () => times.push(Date.now() - minute));
    expect(told).toContain(id(2));
  });

  it('that went back is doubted', async () => {
    let times = [Date.now() - 60 * minute, Date.now() - minute];
    const { report } = await follow(await serverOf(() => times), () => (times = times.slice(0, 1)));
    expect(report.doubts.join()).toMatch(/nothing is as new as/);
  });

  it('of another server is doubted', async () => {
    const server = await serverOf(() => [Date.now() - minute]);
    const { report } = await readWhole(createLdapSource(optionsFor(server.url, {})));
    const name = server.url.replace('127.0.0.1', 'localhost');
    const other = createLdapSource(optionsFor(name, {}));
    const read = await readChanges(other, report.cursor);
    expect(read.report.doubts.join()).toMatch(/are those of ldap:\/\/127.0.0.1/);
  });

  it('that may not be searched leaves the whole read as it is', async () => {
    const server = await serverOf(() => [Date.now()], 11);
    const { report } = await readWhole(createLdapSource(optionsFor(server.url, {})));
    expect(report).toMatchObject({ complete: true, cursor: undefined });
    expect(report.description).toMatch(/changes cannot be told: .*administrative limit/);
  });
});

describe('entryusn', () => {
  const options: Partial<LdapSourceOptions> = { preset: '389ds', attributes: { id: 'entryUUID' } };
  const usnServer = (lastusn: string): Promise<FakeLdap> =>
    start((_, reply) => reply.done({ cookie: '' }), {
      rootDse: {
        supportedControl: ['1.2.840.113556.1.4.319'],
        supportedExtension: ['1.3.6.1.4.1.4203.1.11.3'],
        'lastusn;userroot': [lastusn],
      },
    });

  it.each([
    ['went back', '500', '499', /went back/],
    ['is another backend', '500', '', /new, or gone/],
  ])('that %s is doubted', async (_, before, after, doubt) => {
    const server = await usnServer(before);
    const { report } = await readWhole(createLdapSource(optionsFor(server.url, options)));
    const cursor = report.cursor?.replace('"500"', after === '' ? '"500","lastusn;other":"1"' : '"501"');
    const read = await readChanges(createLdapSource(optionsFor(server.url, options)), cursor);
    expect(read.report.doubts.join()).toMatch(doubt);
    expect(read.report.proof).toBe(false);
  });

  it('at rest proves that nothing happened, and looks at the last hundred all the same', async () => {
    const server = await usnServer('500');
    const source = createLdapSource(optionsFor(server.url, options));
    const { report } = await readWhole(source);
    expect((await readChanges(source, report.cursor)).report).toMatchObject({ doubts: [], proof: true });
    expect(server.searches.at(-1)?.filter).toContain('entryusn>=400');
  });
});

describe('Generalized Time', () => {
  it.each([
    ['20261122064501Z', '2026-11-22T06:45:01.000Z'],
    ['20261122064501.25Z', '2026-11-22T06:45:01.250Z'],
    ['202611220645Z', '2026-11-22T06:45:00.000Z'],
    ['2026112206,5Z', '2026-11-22T06:30:00.000Z'],
    ['20261122064501+0130', '2026-11-22T05:15:01.000Z'],
    ['20261122064501-05', '2026-11-22T11:45:01.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseGeneralizedTime(text) ?? 0).toISOString()).toBe(iso);
  });

  it('is written in UTC, and read back', () => {
    expect(formatGeneralizedTime(Date.UTC(2026, 0, 2, 3, 4, 5))).toBe('20260102030405Z');
    for (const none of ['', '2026', 'Z', '20261122064501'])
      expect(parseGeneralizedTime(none)).toBeUndefined();
  });
});
