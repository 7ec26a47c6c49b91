/** docs/doctor.md has every finding that doctor can make about a mail server, at its level, and no other. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { faults } from '../../src/cli/doctor/mta/catalogue.js';

it('the page and the code have the same findings', () => {
  const page = readFileSync(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w-]+)`\s*\|\s*(\w+)\s*\|\s*(.+?)\s*\|\s*(.+?)\s*\|$/gm)];
  const shown = rows.map(([, id, level, why, mend]) => [id, { level, why, mend }]);
  expect(Object.fromEntries(shown)).toEqual(faults);
});
