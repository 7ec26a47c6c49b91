import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { displayDomain, normaliseDomain } from '../../src/address/domain.js';
import { exactKeyOf, foldLocal, keyOf } from '../../src/address/key.js';
import { formatMailbox, parseInternal, parseMailbox, type Mailbox } from '../../src/address/mailbox.js';
import { lacksBases, maxBases, subaddressBases } from '../../src/address/subaddress.js';

const anyString = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom('a', 'é', '"', '\\', '.', '@', '<', '>', '[', ']', ':', ',', ' ', '\0', '1'),
  }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `${text}@bücher.example`),
);

/** Unquoted local parts, with all that a quoted one may hold and what case and normal forms are apt to trip over. */
const localPart = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...Array.from('abzABZ019.+-_"\\ @:,;<>()[]ΣςσİıßẞéÉ\u0308\u0338用')),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 24,
  })
  .filter((local) => !/[\p{Cc}\p{Cs}]/u.test(local) && Buffer.byteLength(local.normalize('NFC')) <= 256);

const label = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?$/).filter((text) => !text.startsWith('xn--')),
  fc.constantFrom('bücher', 'straße', '例子', 'пример', 'δοκιμή', 'éa'),
);
/** Domains as people write them, in small letters. */
const domainName = fc
  .tuple(fc.array(label, { maxLength: 3 }), fc.constantFrom('example', 'com', 'испытание'))
  .map(([labels, top]) => [...labels, top].join('.'));
const route = fc.constantFrom('', '@a.example:', '@a.example,@[IPv6:2001:db8::1]:');

/** ß has a capital of its own; toUpperCase would write SS, which is another domain. */
function capitals(domain: string): string {
  return domain.replaceAll('ß', 'ẞ').toUpperCase();
}

function quoted(local: string): string {
  return `"${local.replace(/["\\]/g, '\\$&')}"`;
}

function mailboxOf(result: ReturnType<typeof parseMailbox>): Mailbox {
  if (!result.ok) throw new Error(`refused: ${result.problem}`);
  return result.mailbox;
}

describe('parsing', () => {
  it('never throws, and says what it salvaged in the one spelling', () => {
    fc.assert(
      fc.property(anyString, (text) => {
        for (const result of [parseMailbox(text), parseInternal(text)]) {
          const domain = result.ok ? result.mailbox.domain : result.domain;
          if (domain !== undefined) expect(normaliseDomain(domain)).toBe(domain);
          if (result.ok) expect(result.mailbox.local).not.toMatch(/^$|[\p{Cc}\p{Cs}]/u);
        }
        normaliseDomain(text);
        displayDomain(text);
        subaddressBases(text, ['+', '']);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['"', '\\', '.', '@', '\\"', '"."', '@a,', '@a:', '[', '<', 'a', 'é', '\ud800', '\0', ' '])(
    'refuses 100 kB of %j, bare, quoted and as a domain',
    (piece) => {
      const text = piece.repeat(100_000 / piece.length);
      for (const spelling of [
        text,
        `"${text}"@example.com`,
        `${text}@example.com`,
        `john@${text}`,
        `<${text}>`,
      ]) {
        expect(parseMailbox(spelling)).toEqual({ ok: false, problem: 'too-long' });
        expect(parseInternal(spelling)).toEqual({ ok: false, problem: 'too-long' });
        expect(normaliseDomain(spelling)).toBeUndefined();
      }
    },
  );
});

describe('subaddresses', () => {
  it('have every part before a delimiter as a base, or say that some are left out', () => {
    const piece = fc.constantFrom('a', 'b', '-', '+', '--', '=', 'é', '😀');
    const local = fc.array(piece, { maxLength: 256 }).map((pieces) => pieces.join(''));
    const delimiters = fc.subarray(['-', '+', '--', '=']);
    fc.assert(
      fc.property(local, delimiters, (text, cutAt) => {
        const bases = subaddressBases(text, cutAt);
        const all = prefixesBefore(text, cutAt);
        expect(bases.length).toBeLessThanOrEqual(maxBases);
        expect(all).toEqual(expect.arrayContaining([...bases]));
        if (!lacksBases(text, cutAt)) expect(bases).toEqual(all);
        expect(bases[0]).toBe(all[0]);
        expect(bases.at(-1)).toBe(all.at(-1));
      }),
    );
  });
});

/** Longest first. */
function prefixesBefore(text: string, delimiters: readonly string[]): string[] {
  return Array.from({ length: text.length }, (_, at) => text.slice(0, at))
    .filter((prefix) => prefix !== '' && delimiters.some((each) => text.startsWith(each, prefix.length)))
    .reverse();
}

describe('normalising', () => {
  it('is done once: parsing what was written gives the same mailbox', () => {
    fc.assert(
      fc.property(anyString, (text) => {
        for (const result of [parseMailbox(text), parseInternal(text)]) {
          if (!result.ok) continue;
          expect(parseMailbox(formatMailbox(result.mailbox))).toEqual(result);
          expect(parseInternal(exactKeyOf(result.mailbox))).toEqual(result);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gives a key whose own key is itself', () => {
    fc.assert(
      fc.property(localPart, domainName, (local, domain) => {
        const key = keyOf(mailboxOf(parseInternal(`${local}@${domain}`)));
        expect(keyOf(mailboxOf(parseInternal(key)))).toBe(key);
        expect(foldLocal(foldLocal(local))).toBe(foldLocal(local));
      }),
      { numRuns: 1000 },
    );
  });

  it('shows a domain in a form that leads back to it', () => {
    fc.assert(
      fc.property(domainName, (name) => {
        const domain = normaliseDomain(name);
        expect(domain).toBeDefined();
        expect(normaliseDomain(displayDomain(domain ?? ''))).toBe(domain);
      }),
    );
  });
});

describe('sync and lookup', () => {
  it('find one key in every spelling of an address', () => {
    fc.assert(
      fc.property(localPart, domainName, route, (local, domain, hops) => {
        const key = keyOf(mailboxOf(parseMailbox(`${quoted(local)}@${domain}`)));
        const ascii = normaliseDomain(domain) ?? '';
        const locals = [local, local.normalize('NFC'), local.normalize('NFD')].map(quoted);
        const domains = [domain, domain.normalize('NFD'), capitals(domain), ascii, `${ascii}.`];
        for (const one of locals) {
          for (const other of domains) {
            expect(keyOf(mailboxOf(parseMailbox(`${one}@${other}`)))).toBe(key);
            expect(keyOf(mailboxOf(parseMailbox(`<${hops}${one}@${other}>`)))).toBe(key);
          }
        }
        expect(keyOf(mailboxOf(parseInternal(`${local}@${domain}`)))).toBe(key);
      }),
      { numRuns: 500 },
    );
  });

  it('find one key with and without quotes, where the quotes may go', () => {
    const bare = fc.stringMatching(/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~äÖé用-]{1,20}$/);
    fc.assert(
      fc.property(bare, domainName, (local, domain) => {
        const key = keyOf(mailboxOf(parseMailbox(`${local}@${domain}`)));
        expect(keyOf(mailboxOf(parseMailbox(`"${local}"@${domain}`)))).toBe(key);
        expect(keyOf(mailboxOf(parseInternal(`${local}@${domain}`)))).toBe(key);
      }),
    );
  });

  it('find one key in either case, wherever a capital has one small letter', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...Array.from('azAZ09éÉüÜσΣжЖǆǄ')),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(letters, domainName, (local, domain) => {
        const key = keyOf(mailboxOf(parseMailbox(`${local}@${domain}`)));
        expect(keyOf(mailboxOf(parseMailbox(`${local.toUpperCase()}@${domain}`)))).toBe(key);
        expect(keyOf(mailboxOf(parseMailbox(`${local.toLowerCase()}@${domain}`)))).toBe(key);
      }),
    );
  });
});
