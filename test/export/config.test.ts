/** The configuration of exports: no two of them write one file, however it is spelled. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function issuesOf(exports: Record<string, object>): string[] {
  const config = {
    domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
    sources: { staff: { kind: 'csv', path: 'staff.csv' } },
    exports,
  };
  const parsed = parseConfig(JSON.stringify(config), { file: join(folder, 'config.json') });
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
}

const twice = expect.stringMatching(/^exports\.two\.path: .*"one" writes this file already/) as unknown;

describe('two exports of one configuration', () => {
  it.each(['x/f', './x/f', 'x/../x/./f', 'link/f', 'FOLDER/x/f'])('cannot both write x/f: %s', (path) => {
    mkdirSync(join(folder, 'x'));
    symlinkSync('x', join(folder, 'link'));
    const one = { format: 'plain', path: 'x/f' };
    const two = { format: 'plain', path: path.replace('FOLDER', folder) };
    expect(issuesOf({ one, two })).toEqual([twice]);
  });

  it('cannot both write the .cf of one', () => {
    const [db, cf] = [
      { format: 'sqlite', path: 'x/g' },
      { format: 'plain', path: 'x/g.cf' },
    ];
    expect(issuesOf({ one: db, two: cf })).toEqual([twice]);
    expect(issuesOf({ one: cf, two: db })).toEqual([twice]);
    expect(issuesOf({ one: { ...db, format: 'plain' }, two: cf })).toEqual([]);
  });
});

describe('whose a new file is', () => {
  const one = { format: 'plain', path: 'f' };

  it.each([{ mode: '0644' }, { mode: '640' }, { owner: 'postfix', group: 104 }, { group: 'mail' }])(
    'can be said: %j',
    (rights) => expect(issuesOf({ one: { ...one, ...rights } })).toEqual([]),
  );

  it.each([{ mode: '0666' }, { mode: 644 }, { mode: '0240' }, { owner: -1 }, { group: 'a:b' }])(
    'is refused: %j',
    (rights) => expect(issuesOf({ one: { ...one, ...rights } })).toHaveLength(1),
  );
});
