/** When a server's "no such mailbox" counts: only now, only from the first server, and only while it takes somebody. */
import { afterEach, describe, expect, test } from 'vitest';
import type { AskerOptions } from '../../src/callahead/asker.js';
import { eventually } from '../support/eventually.js';
import { only, startFakeServer, type FakeServer, type Script } from './fake-server.js';
import { closeHouses, createAskHouse, day, hour, minute } from './house.js';

const ada = 'ada@example.com';
const bob = 'bob@example.com';
const cyd = 'cyd@example.com';
const eve = 'eve@example.com';
const postmaster = 'postmaster@example.com';
const people = only(ada, bob, postmaster);
const nobody = only(postmaster);
const unanswered = { kind: 'unanswered' };

const others: FakeServer[] = [];
afterEach(async () => {
  await closeHouses();
  for (const each of others.splice(0)) await each.stop();
});

async function houseOfTwo(first: Script, second: Script, options: Partial<AskerOptions> = {}) {
  const other = await startFakeServer(second);
  others.push(other);
  const house = await createAskHouse(first, options);
  const hosts = [house.server, other].map(({ port }) => ({ host: '127.0.0.1', port }));
  house.reopen({ hosts });
  return { ...house, ask: house.ask, other };
}

describe('an old no', () => {
  test.each([
    ['greylists', { rcpt: () => '450 4.2.0 Greylisted' }],
    ['is busy', { rcpt: () => '452 4.5.3 Too many recipients' }],
    ['has a policy', { rcpt: () => '550 5.7.1 Blocked' }],
    ['goes away', { rcpt: () => '421 4.3.2 Shutting down' }],
    ['is silent', { rcpt: () => undefined }],
    ['takes everybody', { rcpt: () => '250 Ok' }],
    ['has lost its list', { rcpt: nobody }],
  ] as [string, Script][])('is a defer when the server %s', async (_, script) => {
    const { ask, server, clock } = await createAskHouse(
      { rcpt: people },
      { timeoutMs: 300, whenBlind: 'defer' },
    );
    await ask(ada);
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    server.script = script;
    clock.now += 3 * hour;
    expect(await ask(eve)).toEqual(unanswered);
    expect(await ask(eve)).toEqual(unanswered);
  });

  test('is a defer while no server can be reached, and while too many are asked about', async () => {
    const { ask, server, clock } = await createAskHouse(
      { rcpt: people },
      { timeoutMs: 200, maxConcurrent: 1, maxPerSecond: 1 },
    );
    await ask(ada);
    await eventually(
      () => ask(eve),
      ({ kind }) => kind === 'unknown',
    );
    server.script = { rcpt: () => undefined };
    clock.now += 3 * hour;
    for (let i = 0; i < 5; i += 1) void ask(`u${i}@example.com`);
    expect(await ask(eve)).toEqual(unanswered);
    await server.stop();
    server.stop = () => Promise.resolve();
    expect(await ask(eve)).toEqual(unanswered);
    expect(await ask(eve)).toEqual(unanswered);
  });
});

describe('a no counts only from a server that takes somebody right after it', () => {
  test('so one that lost its list a second ago makes nobody unknown', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    server.script = { rcpt: nobody };
    expect(await ask(bob)).toEqual(unanswered);
    server.script = { rcpt: people };
    expect(await ask(cyd)).toEqual(unanswered); // it is not believed for a while
    expect(await ask(bob)).toEqual({ kind: 'known' });
    expect(await ask(cyd)).toEqual({ kind: 'unknown' });
  });

  test('and one that fails is not asked about its witnesses with every question', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people });
    await ask(ada);
    server.script = { rcpt: nobody };
    for (let i = 0; i < 10; i += 1) expect(await ask(`u${i}@example.com`)).toEqual(unanswered);
    expect(server.asked.filter((each) => each === ada)).toHaveLength(2);
  });

  test('and postmaster does not vouch for a list', async () => {
    const { ask } = await createAskHouse({ rcpt: nobody });
    expect(await ask(postmaster)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual(unanswered);
    expect(await ask(eve)).toEqual(unanswered);
  });

  test('and a witness that is named does so from the start, for its own domain', async () => {
    const witnesses = [{ address: ada, domain: 'example.com' }];
    const { ask, server } = await createAskHouse({ rcpt: people }, { witnesses });
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    expect(await ask('eve@other.example')).toEqual(unanswered);
    server.script = { rcpt: nobody };
    expect(await ask(cyd)).toEqual(unanswered);
  });

  test('and who is asked about does not vouch for the refusal of himself', async () => {
    const witnesses = [{ address: ada, domain: 'example.com' }];
    const { ask } = await createAskHouse({ rcpt: nobody }, { witnesses });
    expect(await ask(ada)).toEqual(unanswered);
  });

  test('and where one is named, those learned do not vouch in his place', async () => {
    const witnesses = [{ address: ada, domain: 'example.com' }];
    const { ask, server } = await createAskHouse({ rcpt: people }, { witnesses });
    await ask(bob);
    server.script = { rcpt: only(bob) }; // an alias that it knows without its list
    expect(await ask(eve)).toEqual(unanswered);
  });

  test.each([ada, bob])(
    'and %s alone does not vouch where two are known, and refuses nobody',
    async (left) => {
      const { ask, server, clock } = await createAskHouse({ rcpt: people });
      await ask(ada);
      clock.now += minute;
      await ask(bob);
      server.script = { rcpt: only(left) };
      expect(await ask(eve)).toEqual(unanswered);
      expect(ask(ada)).toEqual({ kind: 'known' });
      expect(ask(bob)).toEqual({ kind: 'known' });
    },
  );

  test('and one that is refused while three others are taken is known no more', async () => {
    const four = [ada, bob, cyd, 'dan@example.com'];
    const { ask, server, clock } = await createAskHouse({ rcpt: only(...four) });
    for (const each of four) {
      clock.now += minute;
      await ask(each);
    }
    server.script = { rcpt: only(bob, cyd, 'dan@example.com') };
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    expect(ask(ada)).toEqual({ kind: 'unknown', knownUntil: clock.now });
  });
});

describe('with two servers', () => {
  test('the no of the second is a defer, and is not kept', async () => {
    const { ask, server, other } = await houseOfTwo(
      { greeting: '421 4.3.2 Busy' },
      { rcpt: people },
      { timeoutMs: 1000 },
    );
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual(unanswered);
    expect(other.asked).toContain(eve);
    expect(await ask(eve)).toEqual(unanswered);
    expect(server.asked).toEqual([]);
  });

  test.each([
    ['refuses the sender for now', { mail: '451 4.3.0 Later' }],
    ['ends the session at RCPT', { rcpt: () => 'close' }],
    ['says 421 at RCPT', { rcpt: () => '421 4.3.2 Shutting down' }],
  ] as [string, Script][])('the second is asked when the first %s', async (_, script) => {
    const { ask } = await houseOfTwo(script, { rcpt: people });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(await ask(bob)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual(unanswered);
  });
});

describe('who had been known', () => {
  test('is remembered as such when a server that took everybody tells people apart again', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people }, { whenBlind: 'defer' });
    await ask(ada);
    await ask(bob);
    server.script = { rcpt: () => '250 Ok' };
    clock.now += 2 * hour;
    await ask(eve);
    clock.now += 31 * day;
    server.script = { rcpt: only(ada) };
    await ask(ada);
    await eventually(
      () => ask(ada),
      ({ kind }) => kind === 'known',
    );
    expect(await ask(bob)).toMatchObject({ kind: 'unknown', knownUntil: clock.now });
  });

  test('but not since a moment that has not come yet', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    await ask(ada);
    await ask(bob);
    server.script = { rcpt: only(ada) };
    clock.now += 8 * day;
    await ask(bob);
    await eventually(
      () => ask(bob),
      ({ kind }) => kind === 'unknown',
    );
    clock.now -= 7 * day;
    expect(await ask(bob)).toEqual({ kind: 'unknown', knownUntil: clock.now });
  });
});

describe('a server that is slow to refuse', () => {
  const slow = (address: string) => (people(address).startsWith('2') ? 0 : 400);

  test('is heard behind, and its answer is there for the next attempt', async () => {
    const { ask } = await createAskHouse({ rcpt: people, delayMs: slow }, { timeoutMs: 150 });
    expect(await ask(ada)).toEqual(unanswered); // the trial with a random recipient is not over
    await eventually(
      () => ask(ada),
      ({ kind }) => kind === 'known',
    );
    expect(await ask(bob)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual(unanswered);
    await eventually(
      () => ask(eve),
      ({ kind }) => kind === 'unknown',
    );
  });

  test('is taken at its yes while it is tried out again', async () => {
    const { ask, clock } = await createAskHouse({ rcpt: people, delayMs: slow }, { timeoutMs: 150 });
    await ask(ada);
    await eventually(
      () => ask(ada),
      ({ kind }) => kind === 'known',
    );
    clock.now += hour;
    expect(await ask(bob)).toEqual({ kind: 'known' });
  });
});

describe('what is asked besides', () => {
  test('is a random recipient again after a run of yeses', async () => {
    const { ask, server } = await createAskHouse({ rcpt: () => '250 Ok' });
    server.script = { rcpt: (address) => (address.startsWith('rollcall') ? '550 5.1.1 No' : '250 Ok') };
    await ask('u@example.com');
    server.script = { rcpt: () => '250 Ok' };
    for (let i = 0; i < 30; i += 1) await ask(`u${i}@example.com`);
    expect(await ask('last@example.com')).toEqual({ kind: 'accepts-all' });
  });

  test('counts in the rate', async () => {
    const { ask, server } = await createAskHouse(
      { rcpt: people },
      { maxPerSecond: 10, maxConcurrent: 1, timeoutMs: 1000 },
    );
    await ask(ada);
    const before = server.asked.length;
    const began = performance.now();
    await Promise.all(Array.from({ length: 100 }, async (_, i) => await ask(`u${i}@example.com`)));
    const seconds = (performance.now() - began) / 1000;
    expect(server.asked.length - before).toBeLessThanOrEqual(10 + Math.ceil(seconds * 10) + 1);
  });
});

describe('what is kept', () => {
  test.each([
    ['codes mean "unknown"', { unknownStatuses: ['5.4.1'] }],
    ['is the sender', { sender: 'probe@example.net' }],
  ])('counts no more when something else %s', async (_, options) => {
    const house = await createAskHouse({ rcpt: people });
    await house.ask(ada);
    expect(await house.ask(eve)).toEqual({ kind: 'unknown' });
    house.server.script = { rcpt: () => '450 4.3.0 Later' };
    house.reopen(options);
    expect(await house.ask(eve)).toEqual(unanswered);
  });
});
