import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecide } from '../../src/policy/decide.js';
import { createDomainTable } from '../../src/policy/domain-table.js';
import { createReference } from '../../src/policy/reference.js';
import { replies, reasons } from '../../src/policy/verdict.js';
import { people, person } from '../support/array-source.js';
import { domainOptions, hour, House } from '../support/house.js';

let house: House;

const domains = [
  domainOptions('example.com', { sources: ['staff', 'lists'], patterns: ['ticket-*', 'VIP?'] }),
  domainOptions('case.example', { caseSensitive: true }),
  domainOptions('brand.example', { aliasOf: 'example.com', sources: ['staff', 'lists'] }),
  domainOptions('sub.example', { includeSubdomains: true }),
  domainOptions('all.example', { catchAll: true }),
  domainOptions('off.example', { mode: 'off' }),
  domainOptions('watch.example', { mode: 'observe' }),
  domainOptions('dash.example', { subaddress: ['-', '+'] }),
  domainOptions('lax.example', { whenStale: 'accept', staleAfterMs: hour }),
  domainOptions('own.example', { replies: { unknown: 'Ask reception on 555-0100' } }),
  domainOptions('later.example', { sources: ['staff', 'never'] }),
  domainOptions('empty.example'),
  domainOptions('half.example', { sources: ['staff', 'lists'] }),
  domainOptions('xn--bcher-kva.example'),
];

beforeAll(async () => {
  house = new House(domains.filter((domain) => domain.domain !== 'xn--later'));
  await house.sync({
    entries: [
      person('jane', ['jane@example.com']),
      person('jane-brand', ['jane@brand.example'], { disabled: true }),
      person('anna', [
        'Anna@example.com',
        'anna@dash.example',
        'mary-jane@dash.example',
        'anna@own.example',
        'anna@lax.example',
      ]),
      person('quoted', ['"john smith"@example.com', "o'brien@example.com"]),
      person('jane', ['jane@example.com']),
      person('jane-brand', ['jane@brand.example'], { disabled: true }),
      person('gone-soon', ['gone@example.com']),
      person('off', ['off@example.com'], { disabled: true }),
      person('half', ['half@example.com', 'both@example.com'], { disabled: true }),
      person('team', ['team@example.com', 'group@example.com'], { internalOnly: true }),
      person('a+b', ['a+b@example.com']),
      person('case', ['Case@case.example', 'MiXeD@case.example']),
      person('case2', ['case@case.example']),
      person('sub', ['x@sub.example', 'y@deep.down.sub.example']),
      person('watch', ['w@watch.example']),
      person('idn', ['jörg@bücher.example']),
      ...people(60),
    ],
  });
  await house.sync(
    {
      entries: [
        person('l1', ['both@example.com', 'list@example.com', 'x@half.example', 'x@brand.example']),
        person('l2', ['group@example.com']),
      ],
    },
    { source: 'lists' },
  );
  await house.sync({
    entries: [
      person('jane', ['jane@example.com']),
      person('jane-brand', ['jane@brand.example'], { disabled: true }),
      person('anna', [
        'Anna@example.com',
        'anna@dash.example',
        'mary-jane@dash.example',
        'anna@own.example',
        'anna@lax.example',
      ]),
      person('quoted', ['"john smith"@example.com', "o'brien@example.com"]),
      person('off', ['off@example.com'], { disabled: true }),
      person('half', ['half@example.com', 'both@example.com'], { disabled: true }),
      person('team', ['team@example.com', 'group@example.com'], { internalOnly: true }),
      person('a+b', ['a+b@example.com']),
      person('case', ['Case@case.example', 'MiXeD@case.example']),
      person('case2', ['case@case.example']),
      person('sub', ['x@sub.example', 'y@deep.down.sub.example']),
      person('watch', ['w@watch.example']),
      person('idn', ['jörg@bücher.example']),
      ...people(60),
    ],
  });
});
afterAll(() => {
  house.close();
});

const known = 'accept known 250 2.1.5';
const unknown = 'reject unknown 550 5.1.1';

describe('known addresses', () => {
  test.each([
    ['anna@example.com', known],
    ['ANNA@EXAMPLE.COM', known],
    ['<anna@example.com.>', known],
    ['@relay.test:anna@example.com', known],
    ['"anna"@example.com', known],
    ['"john smith"@example.com', known],
    ["o'brien@example.com", known],
    ['jörg@bücher.example', known],
    ['jörg@xn--bcher-kva.example', known],
    ['jo\u0308rg@BÜCHER.example', known],
    ['list@example.com', known],
    ['anna+news@example.com', 'accept subaddress 250 2.1.5'],
    ['a+b@example.com', known],
    ['a+b+c@example.com', 'accept subaddress 250 2.1.5'],
    ['anna+b+c@example.com', 'accept subaddress 250 2.1.5'],
    ['mary-jane+news@dash.example', 'accept subaddress 250 2.1.5'],
    ['ticket-9@brand.example', 'accept pattern 250 2.1.5'],
    ['jane@brand.example', 'accept alias-domain 250 2.1.5'],
    ['anna-x@dash.example', 'accept subaddress 250 2.1.5'],
    ['anna-x+y@dash.example', 'accept subaddress 250 2.1.5'],
    ['mary-jane+a+b+c+d@dash.example', 'accept subaddress 250 2.1.5'],
    ['mary-jane-lists-return-1234-bob=foo@dash.example', 'accept subaddress 250 2.1.5'],
    [`mary-jane${'-x'.repeat(40)}@dash.example`, 'accept subaddress 250 2.1.5'],
    ['+news@example.com', unknown],
    ['anna@brand.example', 'accept alias-domain 250 2.1.5'],
    ['anna+x@brand.example', 'accept subaddress 250 2.1.5'],
    ['ticket-17@example.com', 'accept pattern 250 2.1.5'],
    ['Vip1@example.com', 'accept pattern 250 2.1.5'],
    ['vip12@example.com', unknown],
    ['postmaster@example.com', 'accept always 250 2.1.5'],
    ['Abuse@later.example', 'accept always 250 2.1.5'],
    ['postmaster', 'accept always 250 2.1.5'],
    ['<Postmaster>', 'accept always 250 2.1.5'],
    ['whoever@all.example', 'accept catch-all 250 2.1.5'],
    ['whoever@off.example', 'accept off 250 2.1.5'],
    ['x@sub.example', known],
    ['y@deep.down.sub.example', known],
    ['both@example.com', known],
  ])('%s: %s', (address, answer) => {
    expect(house.answer(address)).toBe(answer);
  });
});

describe('denials', () => {
  test.each([
    ['nobody@example.com', unknown],
    ['nobody@brand.example', unknown],
    ['nobody@deep.down.sub.example', unknown],
    ['x@other.sub.example', unknown],
    ['gone@example.com', 'defer removed 450 4.2.1'],
    ['gone+x@example.com', 'defer removed 450 4.2.1'],
    ['gone@brand.example', 'defer removed 450 4.2.1'],
    ['off@example.com', 'reject disabled 550 5.2.1'],
    ['half@example.com', 'reject disabled 550 5.2.1'],
    ['team@example.com', 'reject internal-only 550 5.7.1'],
    ['someone@elsewhere.example', 'reject not-our-domain 550 5.7.1'],
    ['someone@[192.0.2.1]', 'reject not-our-domain 550 5.7.1'],
    ['deep.sub.example', 'reject bad-syntax 553 5.1.3'],
    ['@example.com', 'reject bad-syntax 553 5.1.3'],
    ['an na@example.com', 'reject bad-syntax 553 5.1.3'],
    ['', 'reject bad-syntax 553 5.1.3'],
    ['a b@elsewhere.example', 'reject not-our-domain 550 5.7.1'],
  ])('%s: %s', (address, answer) => {
    expect(house.answer(address)).toBe(answer);
  });

  test('carry a reference and their domain; accepts do not', () => {
    expect(house.ask('nobody@example.com')).toMatchObject({
      reference: 'REF00000',
      domain: 'example.com',
      tenant: 'default',
    });
    expect(house.ask('anna@example.com').reference).toBeUndefined();
  });

  test('use the domain’s own text', () => {
    expect(house.ask('nobody@own.example').text).toBe('Ask reception on 555-0100');
    expect(house.ask('nobody@example.com').text).toBe(replies.unknown.text);
  });
});

describe('what names no domain', () => {
  test.each([
    ['person', 'smtp'],
    ['person@', 'smtp'],
    ['example.com!person', 'internal'],
    ['x@1.2.3.4', 'internal'],
    ['x@-bad-.example', 'smtp'],
  ] as const)('is no domain of ours to an asking door, and wrong to others: %s', (address, form) => {
    expect(house.answer(address, { form })).toBe('reject bad-syntax 553 5.1.3');
    expect(house.answer(address, { form, advisory: true })).toBe('reject not-our-domain 550 5.7.1');
  });

  test.each([
    ['@example.com', 'reject bad-syntax 553 5.1.3'],
    ['an na@example.com', 'reject bad-syntax 553 5.1.3'],
    [`${'x'.repeat(1001)}@example.com`, 'reject bad-syntax 553 5.1.3'],
    ['no body@watch.example', 'accept bad-syntax 250 2.1.5'],
    ['postmaster', 'accept always 250 2.1.5'],
  ])('is not to be mixed up with what an asking door may refuse: %s', (address, answer) => {
    expect(house.answer(address, { advisory: true })).toBe(answer);
  });
});

describe('internal-only', () => {
  test.each([
    ['boss@example.com', known],
    ['Boss@EXAMPLE.com', known],
    ['boss@brand.example', known],
    ['boss@elsewhere.test', 'reject internal-only 550 5.7.1'],
    ['example.com@elsewhere.test', 'reject internal-only 550 5.7.1'],
    ['', known],
  ])('from %s: %s', (sender, answer) => {
    expect(house.answer('team@example.com', { sender })).toBe(answer);
  });

  test('of a sender that the asker cannot tell: the address exists', () => {
    expect(house.answer('team@example.com', { sender: undefined })).toBe(known);
  });

  test.each(['root', 'cron', '<root>'])('of a sender without a domain: %s', (sender) => {
    expect(house.answer('team@example.com', { sender })).toBe(known);
  });

  test('needs every active claim to say so', () => {
    expect(house.answer('group@example.com')).toBe(known);
  });
});

describe('claims are merged', () => {
  test('over the sources of the domain only', () => {
    house.domains = [domainOptions('example.com', { sources: ['staff'] })];
    expect(house.answer('list@example.com')).toBe(unknown);
    expect(house.answer('group@example.com')).toBe('reject internal-only 550 5.7.1');
    house.domains = domains;
  });

  test('within one source: internal-only counts among the active claims', async () => {
    const own = new House();
    const address = ['x@example.com'];
    await own.sync({
      entries: [
        person('1', address, { disabled: true }),
        person('2', address, { internalOnly: true }),
        ...people(3),
      ],
    });
    expect(own.answer('x@example.com')).toBe('reject internal-only 550 5.7.1');
    await own.sync({
      entries: [person('1', address, { disabled: true }), person('2', address), ...people(3)],
    });
    expect(own.answer('x@example.com')).toBe(known);
    own.close();
  });
});

describe('case-sensitive domains', () => {
  test.each([
    ['Case@case.example', known],
    ['case@case.example', known],
    ['CASE@case.example', unknown],
    ['MiXeD@CASE.example', known],
    ['mixed@case.example', unknown],
    ['MiXeD+x@case.example', 'accept subaddress 250 2.1.5'],
  ])('%s: %s', (address, answer) => {
    expect(house.answer(address)).toBe(answer);
  });

  test.each([
    ['mixed@case.example', known],
    ['mixed+x@case.example', 'accept subaddress 250 2.1.5'],
    ['nobody@case.example', unknown],
  ])('%s, asked by who folds case before: %s', (address, answer) => {
    expect(house.answer(address, { folded: true })).toBe(answer);
  });
});

describe('what is not known is deferred', () => {
  test.each([
    ['a domain with a source that never read', 'nobody@later.example'],
    ['a domain in which no source names anybody', 'nobody@empty.example'],
    ['a domain in which one of its sources names nobody', 'nobody@half.example'],
  ])('%s', (_, address) => {
    expect(house.answer(address)).toBe('defer never-synced 451 4.4.3');
  });

  test('a domain that was configured after the last read', () => {
    house.domains = [...domains, domainOptions('new.example')];
    expect(house.answer('nobody@new.example')).toBe('defer never-synced 451 4.4.3');
    house.domains = domains;
  });

  test('an alias domain that was configured after the last read, although its target was read', () => {
    house.domains = [
      ...domains,
      domainOptions('new.example', { aliasOf: 'example.com', sources: ['staff', 'lists'] }),
    ];
    expect(house.answer('nobody@new.example')).toBe('defer never-synced 451 4.4.3');
    expect(house.answer('anna@new.example')).toBe('accept alias-domain 250 2.1.5');
    house.domains = domains;
  });

  test('subdomains that were included after the last read', () => {
    house.domains = [domainOptions('own.example', { includeSubdomains: true })];
    expect(house.answer('nobody@x.own.example')).toBe('defer never-synced 451 4.4.3');
    expect(house.answer('nobody@own.example')).toBe(unknown);
    house.domains = domains;
  });

  test('a list past staleAfter denies nobody, and still knows everybody', () => {
    house.now += 49 * hour;
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
    expect(house.answer('off@example.com')).toBe('defer stale 451 4.4.3');
    expect(house.answer('team@example.com')).toBe('defer stale 451 4.4.3');
    expect(house.answer('anna@example.com')).toBe(known);
    expect(house.answer('nobody@lax.example')).toBe('accept stale 250 2.1.5');
    house.now -= 49 * hour;
  });

  test('a read from the future', () => {
    house.now -= hour;
    expect(house.answer('nobody@example.com')).toBe('defer stale 451 4.4.3');
    house.now += hour;
  });

  test('an address with so many subaddress delimiters that not every base was asked about', () => {
    expect(house.answer(`nobody${'-x'.repeat(32)}@dash.example`)).toBe(unknown);
    expect(house.answer(`nobody${'-x'.repeat(33)}@dash.example`)).toBe('defer failure 451 4.4.3');
    expect(house.answer(`${'-x'.repeat(120)}@dash.example`)).toBe('defer failure 451 4.4.3');
    // one of those left out
    const base = `x${'-x'.repeat(20)}`;
    house.domains = [...domains, domainOptions('all.example', { catchAll: true, subaddress: ['-'] })];
    expect(house.answer(`${base}${'-y'.repeat(20)}@all.example`)).toBe('accept catch-all 250 2.1.5');
    house.domains = domains;
  });

  test('a failure of our own', () => {
    const failures: unknown[] = [];
    const decide = createDecide({
      domains: () => createDomainTable(domains),
      lookup: {
        find: () => {
          throw new Error('disk on fire');
        },
        coverage: () => undefined,
        generation: () => 1,
      },
      now: () => house.now,
      reference: createReference,
      onFailure: (error) => failures.push(error),
    });
    const question = { recipient: 'anna@example.com', form: 'smtp', edge: 'test' } as const;
    expect(decide(question)).toMatchObject({
      action: 'defer',
      reason: 'failure',
      code: 451,
      status: '4.4.3',
    });
    expect(decide({ ...question, recipient: 'w@watch.example' })).toMatchObject({
      action: 'accept',
      wouldBe: { reason: 'failure' },
    });
    expect(failures).toHaveLength(2);
  });
});

describe('observe', () => {
  test.each([
    ['nobody@watch.example', 'unknown', 550],
    ['no body@watch.example', 'bad-syntax', 553],
  ])('%s is accepted, and what it would have been is told', (address, reason, code) => {
    expect(house.ask(address)).toMatchObject({
      action: 'accept',
      code: 250,
      status: '2.1.5',
      reason,
      wouldBe: { reason, code },
      reference: 'REF00000',
    });
  });
});

describe('the internal form of Postfix', () => {
  test.each([
    ['john smith@example.com', known],
    ['anna@example.com', known],
    ['no one@example.com', unknown],
    ['a@b@example.com', unknown],
  ])('%s: %s', (address, answer) => {
    expect(house.answer(address, { form: 'internal' })).toBe(answer);
  });
});

test('every reason has a reply whose code, status and action agree', () => {
  for (const reason of reasons) {
    const { action, code, status } = replies[reason];
    const first = { accept: '2', reject: '5', defer: '4' }[action];
    expect([String(code).charAt(0), status.charAt(0)]).toEqual([first, first]);
  }
});
