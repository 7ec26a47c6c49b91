/** The pages about mail servers show the lines that `rollcall snippet` prints, which test/mta runs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/cli/snippet/facts.js';
import { makeSnippet } from '../../src/cli/snippet/snippets.js';

const facts: Facts = {
  doors: {
    milter: [{ path: '/run/rollcall/milter.sock' }],
    ...Object.fromEntries(
      Object.entries({ smtp: 2525, socketmap: 10044, readsocket: 10046, http: 10047 }).map(([door, port]) => [
        door,
        [{ host: '127.0.0.1', port }],
      ]),
    ),
  },
  domains: [{ name: 'example.com', mode: 'enforce', includeSubdomains: false, subaddress: ['+'] }],
  exports: [{ name: 'table', format: 'opensmtpd', path: '/var/lib/rollcall/export/recipients' }],
};

const comment = /^(#|dnl )/;

describe.each([
  ['exim', 'readsocket'],
  ['exim', 'smtp'],
  ['sendmail', 'milter'],
  ['sendmail', 'socketmap'],
  ['opensmtpd', 'export'],
  ['haraka', 'http'],
] as const)('docs/%s.md', (mta, door) => {
  const page = readFileSync(fileURLToPath(new URL(`../../docs/${mta}.md`, import.meta.url)), 'utf8');

  it.each(makeSnippet(mta, facts, door).files)(
    `shows the lines of the door ${door} for $file`,
    ({ lines }) => {
      const block = lines.filter((line) => !comment.test(line)).join('\n');
      expect(page).toContain(block);
    },
  );
});
