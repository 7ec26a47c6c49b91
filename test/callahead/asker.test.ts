/** Asking a mail server: what counts, what is kept, for how long, and how much it is asked. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { cachePath } from '../../src/callahead/cache.js';
import { eventually } from '../support/eventually.js';
import { createPki } from '../support/pki.js';
import { only, startFakeServer } from './fake-server.js';
import { closeHouses, createAskHouse, day, hour, second } from './house.js';

const ada = 'ada@example.com';
const bob = 'bob@example.com';
const eve = 'eve@example.com';
const postmaster = 'postmaster@example.com';
const people = only(ada, bob, postmaster);

afterEach(closeHouses);

describe('what the server says', () => {
  test('is asked from the null sender, without a message, and kept', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(ask(ada)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    expect(ask(eve)).toEqual({ kind: 'unknown' });
    expect(server.commands).toContain('MAIL FROM:<>');
    expect(server.commands.filter((line) => /^(DATA|VRFY|EXPN)/.test(line))).toEqual([]);
    // the second time as a witness
    expect(server.asked.filter((each) => each === ada)).toHaveLength(2);
    expect(server.asked.filter((each) => each === eve)).toHaveLength(1);
  });

  test.each([
    ['greylisting', '450 4.2.0 Greylisted, try again later'],
    ['a policy', '550 5.7.1 Blocked'],
    ['relaying denied', '554 5.7.1 Relay access denied'],
    ['going away', '421 4.3.2 Shutting down'],
    ['the connection closed', 'close'],
    ['no SMTP', 'garbage\u0000garbage'],
    ['two replies', '250 yes\r\n250 yes'],
    ['an endless line', `250 ${'x'.repeat(10_000)}`],
    ['an endless reply', '250-x\r\n'.repeat(1000)],
  ])('says nothing when it is %s', async (_, reply) => {
    const { ask } = await createAskHouse({ rcpt: (address) => (address === eve ? reply : people(address)) });
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
    expect(await ask(ada)).toEqual({ kind: 'known' });
  });

  test.each([
    ['refuses us at the door', { greeting: '554 5.7.1 No access' }],
    ['is busy', { greeting: '421 4.3.2 Too many connections' }],
    ['refuses the sender', { mail: '550 5.1.1 User unknown' }],
    ['greets without end', { greeting: '220-x\r\n'.repeat(500) }],
    ['is no mail server', { greeting: 'SSH-2.0-OpenSSH' }],
  ])('is a defer when it %s', async (_, script) => {
    const { ask } = await createAskHouse({ rcpt: people, ...script });
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
  });

  test('is read from replies of several lines, and after HELO', async () => {
    const rcpt = (address: string) =>
      address === eve ? '550-5.1.1 no such user\r\n550 5.1.1 really' : people(address);
    const { ask, server } = await createAskHouse({ rcpt, ehlo: '500 5.5.1 What?' });
    await ask(ada);
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    expect(server.commands).toContain('HELO edge.test');
  });

  test('is not asked about an internationalised address when it does not know them', async () => {
    const jorg = 'jörg@example.com';
    const rcpt = only(jorg, postmaster);
    const plain = await createAskHouse({ rcpt });
    expect(await plain.ask(jorg)).toEqual({ kind: 'unanswered' });
    expect(plain.server.asked).toEqual([]);
    const able = await createAskHouse({ rcpt, ehlo: '250-fake\r\n250 SMTPUTF8' });
    expect(await able.ask(jorg)).toEqual({ kind: 'known' });
    expect(able.server.commands).toContain('MAIL FROM:<> SMTPUTF8');
  });
});

describe('the deadline', () => {
  test.each([
    ['is silent from the start', { greeting: undefined }],
    ['never answers RCPT', { rcpt: () => undefined }],
    ['sends a byte now and then', { rcpt: people, dripMs: 50 }],
    ['is too slow', { rcpt: people, delayMs: 5000 }],
  ])('holds against a server that %s', async (_, script) => {
    const { ask } = await createAskHouse(script, { timeoutMs: 300 });
    const began = performance.now();
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
    expect(performance.now() - began).toBeLessThan(1500);
  });

  test('ends the wait while the queue is long, and hundreds wait at once', async () => {
    const { ask, server } = await createAskHouse(
      { rcpt: () => undefined },
      { timeoutMs: 300, maxConcurrent: 2 },
    );
    const began = performance.now();
    const found = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => await ask(`u${i}@example.com`)),
    );
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['unanswered']));
    expect(performance.now() - began).toBeLessThan(2000);
    // those just ended may not have gone yet
    expect(server.mostOpen()).toBeLessThanOrEqual(4);
  });
});

describe('lifetimes', () => {
  test('a yes: used while it is asked again after 7 days, forgotten after 31', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    await ask(ada);
    clock.now += 7 * day - second;
    expect(ask(ada)).toEqual({ kind: 'known' });
    expect(server.asked.filter((each) => each === ada)).toHaveLength(1);
    clock.now += 2 * second;
    expect(ask(ada)).toEqual({ kind: 'known' });
    await eventually(
      () => server.asked.filter((each) => each === ada).length,
      (count) => count === 2,
    );
    server.script = { rcpt: () => '450 4.3.0 Later' };
    clock.now += 32 * day;
    expect(await ask(ada)).toEqual({ kind: 'unanswered' });
  });

  test('a failed refresh keeps a good result, and is not tried with every question', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    await ask(ada);
    clock.now += 8 * day;
    server.script = { rcpt: () => '450 4.3.0 Later' };
    const before = server.asked.length;
    for (let times = 0; times < 20; times += 1) {
      expect(ask(ada)).toEqual({ kind: 'known' });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(server.asked.length - before).toBeLessThanOrEqual(1);
    clock.now += 22 * day;
    expect(ask(ada)).toEqual({ kind: 'known' });
  });

  test('who was known and is so no more is told apart from who never was', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    await ask(bob);
    await ask(ada);
    clock.now += 8 * day;
    server.script = { rcpt: only(bob, postmaster) };
    expect(ask(ada)).toEqual({ kind: 'known' });
    const gone = await eventually(
      () => ask(ada),
      ({ kind }) => kind === 'unknown',
    );
    expect(gone).toEqual({ kind: 'unknown', knownUntil: clock.now });
    const since = clock.now;
    clock.now += 4 * hour;
    expect(await ask(ada)).toEqual({ kind: 'unknown', knownUntil: since });
    server.script = { rcpt: people };
    clock.now += 4 * hour;
    expect(await ask(ada)).toEqual({ kind: 'known' });
  });

  test('a no: after 3 hours asked again first, so that who came since is taken', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    await ask(ada);
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    server.script = { rcpt: only(ada, eve, postmaster) };
    clock.now += 3 * hour - second;
    expect(ask(eve)).toEqual({ kind: 'unknown' });
    clock.now += 2 * second;
    expect(await ask(eve)).toEqual({ kind: 'known' });
  });

  test('a clock that was set back makes nothing younger', async () => {
    const { ask, clock, server } = await createAskHouse({ rcpt: people });
    await ask(eve);
    server.script = { rcpt: () => '450 4.3.0 Later' };
    clock.now -= day;
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
  });
});

describe('blind servers', () => {
  const everybody = () => '250 2.1.5 Ok';

  test('tell nothing: taken at their word, or not, as configured, and never kept as known', async () => {
    const { ask, server } = await createAskHouse({ rcpt: everybody });
    expect(await ask(ada)).toEqual({ kind: 'accepts-all' });
    const asked = server.asked.length;
    expect(ask(bob)).toEqual({ kind: 'accepts-all' });
    expect(server.asked).toHaveLength(asked);
    const wary = await createAskHouse({ rcpt: everybody }, { whenBlind: 'defer' });
    expect(await wary.ask(ada)).toEqual({ kind: 'unanswered' });
  });

  test('are tried with another random recipient each hour, and believed once they tell people apart', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: everybody });
    await ask(ada);
    server.script = { rcpt: people };
    expect(ask(eve)).toEqual({ kind: 'accepts-all' });
    clock.now += hour;
    expect(ask(eve)).toEqual({ kind: 'accepts-all' });
    expect(
      await eventually(
        () => ask(ada),
        ({ kind }) => kind !== 'accepts-all',
      ),
    ).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    const random = server.asked.filter((each) => each.startsWith('rollcall'));
    expect(new Set(random).size).toBe(random.length);
    expect(random.length).toBeGreaterThanOrEqual(2);
  });

  test('that become so later are found out, and whom they took before stays known', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    server.script = { rcpt: everybody };
    clock.now += hour;
    expect(await ask(eve)).toEqual({ kind: 'accepts-all' });
    expect(ask(ada)).toEqual({ kind: 'known' });
  });

  test('are told apart by domain and by host', async () => {
    const rcpt = (address: string) => (address.endsWith('@blind.example') ? '250 Ok' : people(address));
    const { ask } = await createAskHouse({ rcpt });
    expect(await ask('x@blind.example')).toEqual({ kind: 'accepts-all' });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
  });
});

describe('a server that refuses everybody', () => {
  const nobody = only();

  test('makes nobody unknown before it took somebody', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: nobody });
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
    server.script = { rcpt: only(ada) };
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    clock.now += day;
    expect(await ask('mallory@example.com')).toEqual({ kind: 'unknown' });
  });

  test('after it knew people has lost its list: they stay known, and others are deferred', async () => {
    const { ask, server, clock } = await createAskHouse({ rcpt: people });
    for (const each of [ada, bob]) expect(await ask(each)).toEqual({ kind: 'known' });
    server.script = { rcpt: only(postmaster) };
    clock.now += 8 * day;
    expect(await ask(eve)).toEqual({ kind: 'unanswered' });
    expect(ask(ada)).toEqual({ kind: 'known' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(ask(ada)).toEqual({ kind: 'known' });
  });
});

describe('how much it is asked', () => {
  test('about an address once, however many ask', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people, delayMs: 50 });
    const found = await Promise.all(Array.from({ length: 100 }, async () => await ask(ada)));
    expect(found.every(({ kind }) => kind === 'known')).toBe(true);
    expect(server.asked.filter((each) => each === ada)).toHaveLength(1);
  });

  test('no more than so often a second, and those turned away are deferred', async () => {
    const { ask, server } = await createAskHouse(
      { rcpt: people },
      { maxPerSecond: 5, maxConcurrent: 2, timeoutMs: 1000 },
    );
    await ask(ada);
    const began = performance.now();
    const found = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => await ask(`u${i}@example.com`)),
    );
    const seconds = (performance.now() - began) / 1000;
    const asked = server.asked.filter((each) => each.startsWith('u')).length;
    expect(asked).toBeLessThanOrEqual(5 + Math.ceil(seconds * 5));
    expect(found.filter(({ kind }) => kind === 'unanswered').length).toBeGreaterThanOrEqual(1000 - asked);
    expect(found.filter(({ kind }) => kind === 'known')).toEqual([]);
    // those just ended may not have gone yet
    expect(server.mostOpen()).toBeLessThanOrEqual(4);
    // whom we know is not in the way of it
    expect(ask(ada)).toEqual({ kind: 'known' });
  });

  test('nobody waits for a server that is down, and it is asked again once it is up', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people });
    const { port } = server;
    await server.stop();
    expect(await ask(ada)).toEqual({ kind: 'unanswered' });
    const connectionsOf = ask(bob);
    expect(connectionsOf).toEqual({ kind: 'unanswered' });
    const back = await startFakeServer({ rcpt: people }, port);
    try {
      await eventually(
        () => ask(ada),
        ({ kind }) => kind === 'known',
      );
    } finally {
      await back.stop();
      // closed a second time by the house
      server.stop = () => Promise.resolve();
    }
  });

  test('in one session for several, and again when that was closed meanwhile', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people }, { keptIdleMs: 5000 });
    await ask(ada);
    await ask(bob);
    expect(server.connections()).toBe(1);
    server.script = {
      rcpt: (address) => (address === eve && server.connections() === 1 ? 'close' : people(address)),
    };
    expect(await ask(eve)).toEqual({ kind: 'unknown' });
    expect(server.connections()).toBe(2);
  });

  test('the second server when the first is silent', async () => {
    const second = await startFakeServer({ rcpt: people });
    const { ask, server, reopen } = await createAskHouse({ greeting: undefined }, { timeoutMs: 1000 });
    reopen({
      hosts: [server, second].map(({ port }) => ({ host: '127.0.0.1', port })),
    });
    try {
      expect(await ask(ada)).toEqual({ kind: 'known' });
      const tried = server.connections();
      expect(await ask(bob)).toEqual({ kind: 'known' });
      // and from then on first
      expect(server.connections()).toBe(tried);
    } finally {
      await second.stop();
    }
  });
});

describe('encryption', () => {
  const pki = createPki();
  const { cert, key } = pki.certificates.server;
  const wrong = pki.certificates.wrong;
  const ehlo = '250-fake\r\n250 STARTTLS';

  test('is used when offered, whatever the certificate', async () => {
    const { ask, server } = await createAskHouse({ rcpt: people, ehlo, tls: wrong });
    expect(await ask(ada)).toEqual({ kind: 'known' });
    expect(server.secure.count).toBe(1);
  });

  test('may be required, and the certificate verified', async () => {
    const plain = await createAskHouse({ rcpt: people }, { tls: 'required' });
    expect(await plain.ask(ada)).toEqual({ kind: 'unanswered' });
    const right = await createAskHouse(
      { rcpt: people, ehlo, tls: { cert, key } },
      { tls: 'verified', ca: pki.ca },
    );
    expect(await right.ask(ada)).toEqual({ kind: 'known' });
    const forged = await createAskHouse({ rcpt: people, ehlo, tls: wrong }, { tls: 'verified', ca: pki.ca });
    expect(await forged.ask(ada)).toEqual({ kind: 'unanswered' });
    pki.remove();
  });

  test('that is broken does not keep us from asking in the clear', async () => {
    const { ask } = await createAskHouse({ rcpt: people, ehlo });
    expect(await ask(ada)).toEqual({ kind: 'known' });
  });
});

describe('what is kept', () => {
  test('survives a restart', async () => {
    const house = await createAskHouse({ rcpt: people });
    await house.ask(ada);
    await house.ask(eve);
    house.reopen();
    house.server.script = { rcpt: () => '450 4.3.0 Later' };
    expect(house.ask(ada)).toEqual({ kind: 'known' });
    expect(house.ask(eve)).toEqual({ kind: 'unknown' });
  });

  test('is not that of other servers', async () => {
    const house = await createAskHouse({ rcpt: people });
    await house.ask(ada);
    const other = await startFakeServer({ rcpt: only() });
    house.reopen({ hosts: [{ host: '127.0.0.1', port: other.port }] });
    expect((await house.ask(ada)).kind).not.toBe('known');
    await other.stop();
  });

  test('is begun anew when the file is damaged', async () => {
    const house = await createAskHouse({ rcpt: people });
    await house.ask(ada);
    house.cache.close();
    writeFileSync(cachePath(house.folder), 'this is no database'.repeat(1000));
    house.reopen();
    expect(await house.ask(ada)).toEqual({ kind: 'known' });
    house.reopen();
    house.server.script = { rcpt: () => '450 4.3.0 Later' };
    expect(house.ask(ada)).toEqual({ kind: 'known' });
  });
});
