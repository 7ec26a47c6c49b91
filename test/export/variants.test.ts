/** A mail server that folds only ASCII finds whom Rollcall would take, however somebody spells them. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { foldLocal } from '../../src/address/key.js';
import { variantsOf, type Folding } from '../../src/export/variants.js';
import { person } from '../support/array-source.js';
import { House } from '../support/house.js';
import { exportFrom, rowsIn } from './export-room.js';

const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function found(spelled: string, local: string, folding: Folding): boolean {
  const asked = folding === 'ascii' ? lowerAscii(spelled) : spelled.toLowerCase();
  return [local, ...variantsOf(local, folding).others].includes(asked);
}

describe('the spellings of a local part beyond ASCII', () => {
  it.each(['Ärzte', 'ÄRZTE', 'ärzte', 'A\u0308rzte', 'a\u0308rzte', 'ärZTE'])(
    'has %s for ärzte',
    (spelled) => {
      expect(found(spelled, 'ärzte', 'ascii')).toBe(true);
    },
  );

  it.each(['Иван.Петров', 'ИВАН.ПЕТРОВ', 'Иван.петров', 'ΝΊΚΟΣ', 'Νίκος', 'νίκος'])(
    'has the usual %s',
    (spelled) => {
      for (const each of [spelled, spelled.normalize('NFD')])
        expect(found(each, foldLocal(spelled), 'ascii'), each).toBe(true);
    },
  );

  it('has every one of a few letters, and says when there are more', () => {
    const letters = fc.constantFrom('ä', 'Ä', 'é', 'Ñ', 'ß', 'ẞ', 'σ', 'ς', 'Σ', 'x', 'Y', '.', '日');
    const form = fc.constantFrom('NFC', 'NFD');
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 8 }), form, (chars, normal) => {
        const spelled = chars.join('').normalize(normal);
        const local = foldLocal(spelled);
        const { others, complete } = variantsOf(local, 'ascii');
        expect(others.every((other) => foldLocal(other) === local && other !== local)).toBe(true);
        expect(new Set(others).size).toBe(others.length);
        if (complete) expect(found(spelled, local, 'ascii'), `${spelled} of ${local}`).toBe(true);
      }),
    );
    expect(variantsOf('жшщ', 'ascii').complete).toBe(true);
    expect(variantsOf('жшщжшщ', 'ascii').complete).toBe(false);
  });

  it('never has another mailbox: SS is not ß', () => {
    expect(variantsOf('große', 'ascii').others).toEqual(['groẞe']);
  });

  it('are in the file where the mail server needs them, counted as one address', async () => {
    const house = new House();
    const locals = ['ärzte', 'иван.петров'];
    await house.sync({ entries: locals.map((local) => person(local, [`${local}@example.com`])) });
    const { warnings, domains } = await exportFrom(house, { format: 'lsearch' });
    expect(rowsIn(house)).toEqual(
      expect.arrayContaining(
        ['ärzte', 'Ärzte', 'ИВАН.ПЕТРОВ']
          .map((l) => `"${l}@example.com": known`)
          .concat('a\u0308rzte@example.com: known'),
      ),
    );
    expect(domains).toEqual([{ domain: 'example.com', addresses: 2 }]);
    expect(warnings).toEqual([
      expect.stringMatching(/^1 addresses have more spellings .*иван\.петров@example\.com/),
    ]);
    // Postfix folds all letters, and knows no normal forms; an entry that is there twice is a warning to it
    await exportFrom(house, { format: 'texthash', force: true });
    expect(rowsIn(house).filter((row) => row.includes('rzte'))).toEqual([
      'ärzte@example.com DUNNO',
      'a\u0308rzte@example.com DUNNO',
    ]);
    house.close();
  });
});
