/** A file says what decide says: whoever is in it is taken (or deferred as removed), and whoever is taken is in it. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { parseMailbox } from '../../src/address/mailbox.js';
import type { Entry } from '../../src/source/source.js';
import { person } from '../support/array-source.js';
import { domainOptions, hour, House, noLimits } from '../support/house.js';
import { exportFrom, rowsIn } from './export-room.js';

const locals = ['ann', 'Bob', 'c.d', 'e+f', 'große', 'x y', "o'neill", 'postmaster', '#1', 'a:b', 'Ann'];
const domains = ['example.com', 'xn--bcher-kva.example', 'alias.example', 'case.example'];

const houseOf = (): House =>
  new House([
    domainOptions('example.com'),
    domainOptions('xn--bcher-kva.example', { sources: ['staff', 'more'] }),
    domainOptions('alias.example', { aliasOf: 'example.com' }),
    domainOptions('case.example', { caseSensitive: true, always: [] }),
  ]);

interface Listed {
  readonly local: string;
  readonly domain: string;
  readonly disabled: boolean;
  readonly internalOnly: boolean;
}

const listed: fc.Arbitrary<Listed> = fc.record({
  local: fc.constantFrom(...locals),
  domain: fc.constantFrom(...domains),
  disabled: fc.boolean(),
  internalOnly: fc.boolean(),
});

/** One in each domain, so that each has a list; then what chance gives. */
function entries(items: readonly Listed[]): Entry[] {
  const base = domains.map((domain, i) => person(`base-${i}`, [`base@${domain}`]));
  return [
    ...base,
    ...items.map(({ local, domain, ...flags }, i) => person(`id-${i}`, [spell(local, domain)], flags)),
  ];
}

function spell(local: string, domain: string): string {
  return /[ :]/.test(local) ? `"${local}"@${domain}` : `${local}@${domain}`;
}

/** What a file may hold: taken from somebody, or removed lately. */
function mayBeThere(house: House, recipient: string): boolean {
  const { action, reason } = house.ask(recipient);
  return action === 'accept' || reason === 'internal-only' || reason === 'removed';
}

describe('the rows of an export', () => {
  it('are those that decide takes, all of them and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(listed, { maxLength: 12 }),
        fc.array(listed, { maxLength: 12 }),
        fc.array(listed, { maxLength: 6 }),
        fc.constantFrom(1, 30),
        async (before, after, more, hoursLater) => {
          const house = houseOf();
          try {
            await house.sync({ entries: entries(before) }, { limits: noLimits });
            await house.sync({ entries: entries(after) }, { limits: noLimits });
            await house.sync({ entries: entries(more) }, { source: 'more', limits: noLimits });
            house.now += hoursLater * hour;
            const report = await exportFrom(house);
            expect(report).toMatchObject({ state: 'written', reasons: [] });
            const rows = rowsIn(house);
            expect(new Set(rows).size).toBe(rows.length);
            const keys = new Set<string>();
            for (const row of rows) {
              const parsed = parseMailbox(row);
              if (!parsed.ok) throw new Error(`no address: ${row}`);
              keys.add(`${parsed.mailbox.local}@${parsed.mailbox.domain}`);
            }
            for (const local of [...locals, 'base', 'abuse', 'nobody']) {
              for (const domain of domains) {
                const spellings =
                  domain === 'case.example' ? locals.filter((l) => fold(l) === fold(local)) : [];
                const there = [local, ...spellings].some((l) => mayBeThere(house, spell(l, domain)));
                const isListed = keys.has(`${fold(local)}@${domain}`);
                // a file leaves subaddresses to the mail server, and # to nobody
                if (local === 'e+f' || local === '#1') continue;
                expect(isListed, `${local}@${domain}`).toBe(there);
              }
            }
          } finally {
            house.close();
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);

  it('hold a domain by both of its names', async () => {
    const house = new House([domainOptions('xn--bcher-kva.example', { always: ['postmaster'] })]);
    await house.sync({ entries: [person('1', ['ann@bücher.example'])] });
    await exportFrom(house);
    expect(rowsIn(house)).toEqual([
      'postmaster@xn--bcher-kva.example',
      'postmaster@bücher.example',
      'ann@xn--bcher-kva.example',
      'ann@bücher.example',
    ]);
    house.close();
  });

  it('leave other tenants out', async () => {
    const house = new House([
      domainOptions('example.com', { always: [] }),
      domainOptions('other.example', { tenant: 'other', always: [] }),
    ]);
    await house.sync({ entries: [person('1', ['ann@example.com'])] });
    await house.sync({ entries: [person('1', ['eve@other.example'])] }, { tenant: 'other' });
    await exportFrom(house);
    expect(rowsIn(house)).toEqual(['ann@example.com']);
    const stolen = await exportFrom(house, { domains: ['other.example'] });
    expect(stolen).toMatchObject({ state: 'refused' });
    house.close();
  });
});

function fold(local: string): string {
  return local.toLowerCase();
}
