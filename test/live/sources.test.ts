/** What control makes of a question: whom it asks, what of the answer it believes, and what it has claimed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { confirmOnMiss } from '../../src/compose/confirm-on-miss.js';
import { domainTableOf } from '../../src/compose/domains.js';
import { openLive, type Live } from '../../src/compose/live.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { createLiveClient } from '../../src/live/client.js';
import { replies, type Verdict } from '../../src/policy/verdict.js';
import type { Entry, Source } from '../../src/source/source.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { arraySource, person } from '../support/array-source.js';
import { eventually } from '../support/eventually.js';
import type { Json } from '../support/product-config.js';

let folder: string;
const closers: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-live-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

const ldap = { kind: 'ldap', url: 'ldaps://127.0.0.1', baseDn: 'dc=example', preset: 'openldap' };

/** Two customers, each with a directory of his own. */
const two: Json = {
  tenants: { acme: {}, globex: {} },
  domains: {
    'acme.example': { mode: 'enforce', tenant: 'acme', sources: ['acme'] },
    'old.acme.example': { mode: 'enforce', tenant: 'acme', aliasOf: 'acme.example' },
    'off.example': { mode: 'off', tenant: 'acme', sources: ['acme'] },
    'globex.example': { mode: 'enforce', tenant: 'globex', sources: ['globex'] },
  },
  sources: { acme: { ...ldap, tenant: 'acme' }, globex: { ...ldap, tenant: 'globex' } },
};

function configOf(json: Json): Config {
  const parsed = parseConfig(JSON.stringify(json), { file: join(folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed.config, dataDir: folder };
}

type Find = NonNullable<Source['find']>;

interface House {
  readonly live: Live;
  /** `source address` of each search. */
  readonly asked: string[];
  readonly claimed: string[];
  made: number;
  readonly madeOf: Config[];
  closed: number;
  ask(source: string, address: string): Promise<string>;
}

function open(
  find: (address: string, source: string) => readonly Entry[] | Promise<readonly Entry[]>,
  json = two,
): House {
  const log = silentLogger();
  const live = openLive({
    config: configOf(json),
    log,
    claim: (source, entries) => {
      house.claimed.push(...entries.map(({ id }) => `${source} ${id}`));
      return Promise.resolve();
    },
    make: (config, source) => {
      house.made += 1;
      house.madeOf.push(config);
      const search: Find = async (address) => {
        house.asked.push(`${source} ${address}`);
        return find(address, source);
      };
      const close = (): Promise<void> => {
        house.closed += 1;
        return Promise.resolve();
      };
      return { ...arraySource({ entries: [] }), find: search, close };
    },
  });
  const house: House = {
    ...{ live, asked: [], claimed: [], made: 0, madeOf: [], closed: 0 },
    ask: async (source, address) => (await live.ask({ source, address, look: false })).kind,
  };
  closers.push(() => live.close());
  return house;
}

const everybody = (address: string): Entry[] => [person('1', [address])];

describe('a question', () => {
  it('is asked about a domain of the source, and found people are claimed', async () => {
    const house = open(everybody);
    expect(await house.ask('acme', 'Ada@ACME.example')).toBe('found');
    expect(house.asked).toEqual(['acme Ada@ACME.example']);
    await eventually(
      () => house.claimed,
      (claimed) => claimed.length > 0,
    );
    expect(house.claimed).toEqual(['acme 1']);
  });

  it.each([
    ['another tenant’s domain', 'acme', 'ada@globex.example'],
    ['another tenant’s source', 'globex', 'ada@acme.example'],
    ['a domain that nobody serves', 'acme', 'ada@elsewhere.test'],
    ['a domain that is switched off', 'acme', 'ada@off.example'],
    ['no source of ours', 'nobody', 'ada@acme.example'],
    ['the name of something every object has', 'constructor', 'ada@acme.example'],
    ['no address', 'acme', 'acme.example'],
    ['an address with a control character', 'acme', 'a\nb@acme.example'],
  ])('about %s reaches no directory', async (_, source, address) => {
    const house = open(everybody);
    expect(await house.ask(source, address)).toBe('no-answer');
    expect({ asked: house.asked, figures: house.live.figures() }).toEqual({ asked: [], figures: [] });
  });

  it('is not asked where it is switched off, nor of a list that is a file', async () => {
    const off = { ...ldap, tenant: 'acme', confirm: { enabled: false } };
    const sources = { acme: off, globex: { kind: 'csv', tenant: 'globex', path: './people.csv' } };
    const house = open(everybody, { ...two, sources });
    expect(await house.ask('acme', 'ada@acme.example')).toBe('no-answer');
    expect(await house.ask('globex', 'ada@globex.example')).toBe('no-answer');
    expect(house.asked).toEqual([]);
  });
});

describe('what a directory answers', () => {
  it.each([
    ['somebody else', [person('1', ['eve@acme.example'])], 'not-found'],
    ['the same name in another tenant’s domain', [person('1', ['ada@globex.example'])], 'not-found'],
    ['an entry without addresses', [person('1', [])], 'not-found'],
    ['nobody', [], 'not-found'],
    ['an entry with a value that cannot be used', [person('1', ['ada@@acme.example'])], 'no-answer'],
    [
      'an entry that could not be read whole',
      [person('1', ['eve@acme.example'], { doubtful: true })],
      'no-answer',
    ],
    ['the address in another spelling', [person('1', ['ADA@Acme.Example'])], 'found'],
    ['the address among others', [person('1', ['x@elsewhere.test', 'ada@acme.example'])], 'found'],
  ])('%s: %j is %s', async (_, entries, kind) => {
    const house = open(() => entries);
    expect(await house.ask('acme', 'ada@acme.example')).toBe(kind);
  });

  it('is claimed only as far as it holds the address', async () => {
    const house = open(() => [person('eve', ['eve@acme.example']), person('ada', ['ada@acme.example'])]);
    await house.ask('acme', 'ada@acme.example');
    await eventually(
      () => house.claimed,
      (claimed) => claimed.length > 0,
    );
    expect(house.claimed).toEqual(['acme ada']);
  });

  it('carries the flags of the entry', async () => {
    const { live } = open(() => [person('1', ['ada@acme.example'], { internalOnly: true, disabled: true })]);
    expect(await live.ask({ source: 'acme', address: 'ada@acme.example', look: true })).toEqual({
      kind: 'found',
      claims: [{ flags: 3, spelling: null }],
    });
  });
});

describe('a source', () => {
  it('is made when it is first asked, and kept', async () => {
    const house = open(() => []);
    expect(house.made).toBe(0);
    await house.ask('acme', 'a@acme.example');
    await house.ask('acme', 'b@acme.example');
    expect({ made: house.made, closed: house.closed }).toEqual({ made: 1, closed: 0 });
  });

  it('is made anew after it failed, and after a reload', async () => {
    let isDown = true;
    const house = open(() => {
      if (isDown) throw new Error('the password has changed');
      return [];
    });
    expect(await house.ask('acme', 'a@acme.example')).toBe('no-answer');
    isDown = false;
    expect(await house.ask('acme', 'a@acme.example')).toBe('not-found');
    expect({ made: house.made, closed: house.closed }).toEqual({ made: 2, closed: 1 });
    house.live.reload(configOf(two));
    expect(await house.ask('acme', 'a@acme.example')).toBe('not-found');
    expect({ made: house.made, closed: house.closed }).toEqual({ made: 3, closed: 2 });
  });

  it('is never made of the configuration before a reload, whoever still waits from then', async () => {
    const slow = { ...ldap, tenant: 'acme', confirm: { perSecond: 1 } };
    const house = open(() => [], { ...two, sources: { ...(two['sources'] as Json), acme: slow } });
    const early = ['a', 'b'].map((name) => house.ask('acme', `${name}@acme.example`));
    const next = configOf(two);
    house.live.reload(next);
    expect(await Promise.all(early)).toEqual(['no-answer', 'no-answer']);
    expect(await house.ask('acme', 'c@acme.example')).toBe('not-found');
    expect(house.madeOf.slice(1)).toEqual([next]);
    expect(house.asked).toEqual(['acme a@acme.example', 'acme c@acme.example']);
  });

  it('that is gone after a reload is not asked any more', async () => {
    const house = open(() => []);
    const domains = { 'acme.example': { tenant: 'acme', sources: ['other'] } };
    house.live.reload(configOf({ ...two, domains, sources: { other: { ...ldap, tenant: 'acme' } } }));
    expect(await house.ask('acme', 'a@acme.example')).toBe('no-answer');
    expect(await house.ask('other', 'a@acme.example')).toBe('not-found');
  });

  it('that is taken out while a question is open is heard no more, and closed after it', async () => {
    let answer: (entries: Entry[]) => void = () => undefined;
    const house = open(() => new Promise((resolve) => (answer = resolve)));
    const early = house.ask('acme', 'ada@acme.example');
    await eventually(
      () => house.asked.length,
      (asked) => asked === 1,
    );
    const { 'acme.example': _acme, 'old.acme.example': _old, ...domains } = two['domains'] as Json;
    house.live.reload(
      configOf({
        ...two,
        domains: { ...domains, 'off.example': { mode: 'off' } },
        sources: { globex: { ...ldap, tenant: 'globex' } },
      }),
    );
    expect(house.closed).toBe(0);
    expect(await house.ask('acme', 'ada@acme.example')).toBe('no-answer');
    answer([person('1', ['ada@acme.example'])]);
    expect(await early).toBe('no-answer');
    expect({ closed: house.closed, asked: house.asked.length }).toEqual({ closed: 1, asked: 1 });
  });

  it('is closed at the end, and nobody is asked any more', async () => {
    const house = open(() => []);
    await house.ask('acme', 'a@acme.example');
    await house.live.close();
    expect(house.closed).toBe(1);
    expect(await house.ask('acme', 'b@acme.example')).toBe('no-answer');
  });
});

it('over the socket, a verdict on an alias domain comes from the target’s directory', async () => {
  const config = configOf(two);
  const house = open((address) => (address === 'ada@acme.example' ? everybody(address) : []));
  await house.live.listen();
  const client = createLiveClient({ path: join(folder, 'live.sock') });
  closers.push(() => client.close());
  const table = domainTableOf(config);
  const { confirm } = confirmOnMiss(
    { config, domains: () => table, log: silentLogger(), look: false },
    client.ask,
  );
  const verdict: Verdict = {
    ...replies.unknown,
    reason: 'unknown',
    domain: 'old.acme.example',
    tenant: 'acme',
  };
  const question = { recipient: 'ada+x@old.acme.example', form: 'smtp', edge: 'smtp' } as const;
  expect(await confirm(question, verdict)).toMatchObject({ action: 'accept', key: 'ada@acme.example' });
  expect(house.asked.length).toBe(4);
});

it('a socket that cannot be opened keeps nobody from his work', async () => {
  const config = { ...configOf(two), dataDir: join(folder, 'x'.repeat(200)) };
  const live = openLive({ config, log: silentLogger(), claim: () => Promise.resolve() });
  await live.listen();
  // nor is another opened, where a path that is cut leads
  expect(readdirSync(folder)).toEqual([]);
  await live.close();
  const client = createLiveClient({ path: join(config.dataDir, 'live.sock') });
  expect(await client.ask({ source: 'acme', address: 'a@acme.example', look: false }, 1000)).toMatchObject({
    kind: 'no-answer',
  });
  client.close();
});
