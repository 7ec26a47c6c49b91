/** The settings on the page about Active Directory are ones that Rollcall takes as they stand. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/config/issues.js';
import { parseConfig } from '../../src/config/load.js';

const page = readFileSync(new URL('../../docs/directory-active-directory.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```json\n([^]*?)```/g)].map(([, text]) => text ?? '');

describe('directory-active-directory.md', () => {
  it('has its examples', () => {
    expect(examples.length).toBe(2);
  });

  it.each(examples)('gives settings that are taken: %s', (text) => {
    const result = parseConfig(text, { file: '/etc/rollcall/config.json' });
    expect(result.ok ? [] : result.issues.map(formatIssue)).toEqual([]);
  });
});
