import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { configJsonSchema, configReference } from '../../src/config/reference.js';
import { reasons, replies } from '../../src/policy/verdict.js';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the generated documents', () => {
  test('are those of the schema', () => {
    expect(read('docs/configuration.md')).toBe(configReference());
    expect(JSON.parse(read('docs/config.schema.json'))).toEqual(configJsonSchema());
  });

  test('show type, default, bounds and meaning', () => {
    expect(configReference()).toContain(
      '| `staleAfter` | duration, 1s to 365d | `"48h"` | Age of the oldest list of this domain',
    );
  });

  test('name every reason that is not an acceptance with the reply of the verdict table', () => {
    for (const reason of reasons.filter((each) => replies[each].action !== 'accept')) {
      const { code, status } = replies[reason];
      expect(configReference()).toMatch(
        new RegExp(`\`replies\\.${reason}\` .* ${code} ${status.replaceAll('.', '\\.')},`),
      );
    }
  });
});

describe('the examples', () => {
  test.each(['config.example.json', 'examples/active-directory.json', 'examples/openldap.json'])(
    '%s loads without a warning',
    (file) => {
      expect(loadConfig(join(root, file)).warnings).toEqual([]);
    },
  );

  test('config.example.json reads its sample list and keeps to loopback', () => {
    const { config } = loadConfig(join(root, 'config.example.json'));
    expect(config.sources['people']).toMatchObject({ kind: 'csv', path: join(root, 'examples/people.csv') });
    expect(config.edges.smtp?.listen).toEqual([{ host: '127.0.0.1', port: 2525 }]);
    expect(config.domains['example.com']?.mode).toBe('enforce');
  });
});
