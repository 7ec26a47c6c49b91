/** The check that holds the import ranks: it finds each kind of import, and says what to do. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runScript } from './run-script.js';

function check(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-imports-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'src', name)), { recursive: true });
      writeFileSync(join(folder, 'src', name), text);
    }
    return runScript('check-imports.mjs', [folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const upwards = 'store (rank 1) imports policy (rank 3), a room of a higher rank';

/** What is wrong, the file and its text (one tree holds them all), and the rule that is named. */
const wrong = [
  ['a plain import that goes up', 'store/a.ts', "import { d } from '../policy/decide.js';", upwards],
  [
    'an import of types that goes up',
    'store/b.ts',
    "import type { D } from '../policy/verdict.js';",
    upwards,
  ],
  ['a re-export that goes up', 'store/c.ts', "export { d } from '../policy/decide.js';", upwards],
  ['a dynamic import that goes up', 'store/d.ts', "const p = await import('../policy/decide.js');", upwards],
  ['a type import in an expression', 'store/e.ts', "let d: import('../policy/verdict.js').D;", upwards],
  ['rooms of the same rank', 'sync/a.ts', "import '../lookup/lookup.js';", 'a room of the same rank'],
  ['an import of main.ts', 'cli/a.ts', "import '../main.js';", 'a room of a higher rank'],
  [
    'a room that knows the configuration',
    'http/a.ts',
    "import '../config/c.js';",
    'http knows the configuration',
  ],
  ['an edge that looks up by itself', 'edge/smtp/a.ts', "import '../../lookup/l.js';", 'edge imports lookup'],
  ['a room without a rank', 'util/a.ts', '', 'util has no rank'],
  [
    'an import from outside src',
    'cli/b.ts',
    "import '../../scripts/setup.mjs';",
    'imports from outside src/',
  ],
  ['an exit outside main.ts', 'cli/c.ts', 'process.exit(1);', 'process.exit outside src/main.ts'],
  [
    'an exit imported by name',
    'cli/d.ts',
    "import { exit as e } from 'node:process';",
    'process.exit outside',
  ],
] as const;

describe('scripts/check-imports.mjs', () => {
  let result: ReturnType<typeof check>;
  beforeAll(() => {
    result = check(Object.fromEntries(wrong.map(([, file, text]) => [file, `// Line one.\n${text}`])));
  });

  it('is content with imports that go down, within a room, and to packages', () => {
    const { status, output } = check({
      'errors.ts': '',
      'address/key.ts': "import { x } from '../errors.js';\nimport { y } from './other.js';",
      'sync/run.ts':
        "import '../address/key.js';\nimport type { Store } from '../store/store.js';\nimport 'ldapts';",
      'main.ts': "import { cli } from './cli/cli.js';\nprocess.exit(0);",
      'cli/cli.ts': "import { load } from '../config/load.js';",
    });
    expect(output).toBe('');
    expect(status).toBe(0);
  });

  it('fails when it finds anything, and says how to mend it', () => {
    expect(result.status).toBe(1);
    expect(result.output.match(/^ +mend: /gm)).toHaveLength(wrong.length);
  });

  it.each(wrong)('finds %s', (_, file, _text, rule) => {
    const line = result.output.split('\n').find((text) => text.startsWith(`src/${file}:`));
    expect(line).toMatch(/:[12]: /);
    expect(line).toContain(rule);
  });
});
