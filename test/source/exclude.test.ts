/** Addresses left out: whatever the kind of the source, in whole reads, in changes and in look-ups. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { excluding } from '../../src/source/exclude.js';
import type { Change, ChangesReport, Entry, Source } from '../../src/source/source.js';
import { arraySource, person } from '../support/array-source.js';
import { readWhole } from '../support/read-source.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-exclude-'));
  file = join(folder, 'left-out.txt');
});
afterEach(() => rmSync(folder, { recursive: true }));

const staff = [
  person('1', ['ada@example.com', 'Ada.Old@Example.com']),
  person('2', ['svc-backup@example.com']),
  person('3', ['grace@old.example']),
  person('4', ['mü@bücher.example']),
];

const addresses = async (patterns: readonly string[], path?: string): Promise<readonly string[]> =>
  (await readWhole(excluding(arraySource({ entries: staff }), { patterns, file: path }))).addresses;

describe('by pattern', () => {
  it.each([
    [['svc-*@example.com'], ['svc-backup@example.com']],
    [['*@old.example'], ['grace@old.example']],
    [['ada.OLD@EXAMPLE.COM'], ['Ada.Old@Example.com']],
    [['*@bücher.example'], ['mü@bücher.example']],
    [['*@xn--bcher-kva.example'], ['mü@bücher.example']],
    [
      ['?da@example.com', '*@*.example'],
      ['ada@example.com', 'grace@old.example', 'mü@bücher.example'],
    ],
    [['ad@example.com'], []],
  ])('%j leaves out %j', async (patterns, out) => {
    const all = staff.flatMap((entry) => entry.addresses.map(({ value }) => value));
    expect(await addresses(patterns)).toEqual(all.filter((address) => !out.includes(address)));
  });

  it.each(['*@*.bücher.example', '*@*.BÜCHER.*', '*@*.xn--bcher-kva.example'])(
    '%s reaches a domain in A-labels',
    async (pattern) => {
      const entries = [person('5', ['post@info.bücher.example', 'post@info.bucher.example'])];
      const { addresses: left } = await readWhole(
        excluding(arraySource({ entries }), { patterns: [pattern] }),
      );
      expect(left).toEqual(['post@info.bucher.example']);
    },
  );

  it('an entry without any address left is none of the list, unless it is doubtful', async () => {
    const doubtful = person('9', ['svc-doubt@example.com'], { doubtful: true });
    const source = arraySource({ entries: [...staff, doubtful] });
    const { entries } = await readWhole(excluding(source, { patterns: ['svc-*@*'] }));
    expect(entries.map(({ id }) => id)).toEqual(['1', '3', '4', '9']);
    expect(entries.at(-1)).toMatchObject({ addresses: [], doubtful: true });
  });

  it('the report tells how many', async () => {
    const { report } = await readWhole(
      excluding(arraySource({ entries: staff }), { patterns: ['svc-*@*', '*@old.example'] }),
    );
    expect(report.description).toBe('a list in memory, 2 addresses left out by exclude');
    expect(report.complete).toBe(true);
  });

  it('without exclusions the source stays as it is', () => {
    const source = arraySource({ entries: staff });
    expect(excluding(source, { patterns: [] })).toBe(source);
  });
});

describe('by file', () => {
  it('leaves out what stands in it, whatever the case, and reads it again at each run', async () => {
    writeFileSync(file, '\uFEFF# people who left\r\nADA@example.com\r\n\r\n  grace@old.example \n');
    const source = excluding(arraySource({ entries: staff }), { patterns: [], file });
    const first = await readWhole(source);
    expect(first.addresses).toEqual(['Ada.Old@Example.com', 'svc-backup@example.com', 'mü@bücher.example']);
    writeFileSync(file, 'svc-backup@example.com\n');
    const second = await readWhole(source);
    expect(second.addresses).toHaveLength(4);
    expect(second.addresses).not.toContain('svc-backup@example.com');
  });

  it.each([
    ['is not there', undefined, /left-out\.txt cannot be used: .*ENOENT/],
    ['holds a line that is no address', 'ada@example.com\nsvc-*\n', /line 2 is no address/],
    ['is not UTF-8', Buffer.from([0x6d, 0xfc, 0x40, 0x61]), /cannot be used/],
  ])('that %s fails the run', async (_, content, message) => {
    if (content !== undefined) writeFileSync(file, content);
    await expect(addresses([], file)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringMatching(message) as string,
    });
  });
});

it('a pipe or a folder in place of the file fails the run, and never waits', async () => {
  execFileSync('mkfifo', [file]);
  await expect(addresses([], file)).rejects.toThrow(/left-out\.txt cannot be used: it is no file/);
  await expect(addresses([], folder)).rejects.toThrow(/cannot be used: it is no file/);
});

describe('changes and look-ups', () => {
  const changing = (changes: readonly Change[]): Source => ({
    ...arraySource({ entries: [] }),
    async *changes(_, cursor): AsyncGenerator<readonly Change[], ChangesReport, void> {
      yield await Promise.resolve(changes);
      return { doubts: [], cursor: `${cursor}+`, proof: true, description: 'changes' };
    },
    async *read() {
      yield await Promise.resolve([]);
      return { complete: true, reasons: [], description: 'read', cursor: 'c1' };
    },
    find: () => Promise.resolve([person('1', ['ada@example.com', 'svc-a@example.com'])]),
  });
  const readChanges = async (
    source: Source,
    cursor: string,
  ): Promise<{ changes: Change[]; report: ChangesReport }> => {
    const changes: Change[] = [];
    const reading = source.changes?.(
      { signal: new AbortController().signal, problem: () => undefined, progress: () => undefined },
      cursor,
    );
    for (;;) {
      const step = await reading?.next();
      if (step === undefined) throw new Error('no changes');
      if (step.done === true) return { changes, report: step.value };
      changes.push(...step.value);
    }
  };
  const changed = (entry: Entry): Change => ({ kind: 'entry', entry });

  it('an entry loses its left-out addresses; one with no other is gone', async () => {
    const source = excluding(
      changing([
        changed(person('1', ['ada@example.com', 'svc-a@example.com'])),
        changed(person('2', ['svc-b@example.com'])),
        { kind: 'gone', id: '3', where: 'entry 3' },
      ]),
      { patterns: ['svc-*@*'] },
    );
    const { report } = await readWhole(source);
    const { changes, report: after } = await readChanges(source, report.cursor ?? '');
    expect(changes).toEqual([
      changed(person('1', ['ada@example.com'])),
      { kind: 'gone', id: '2', where: 'entry 2' },
      { kind: 'gone', id: '3', where: 'entry 3' },
    ]);
    expect(after).toMatchObject({
      doubts: [],
      proof: true,
      description: 'changes, 2 addresses left out by exclude',
    });
    expect((await readChanges(source, after.cursor)).report.doubts).toEqual([]);
  });

  it('changes are doubted when what is left out has changed since the cursor', async () => {
    writeFileSync(file, 'ada@example.com\n');
    const source = excluding(changing([]), { patterns: [], file });
    const { report } = await readWhole(source);
    expect((await readChanges(source, report.cursor ?? '')).report.doubts).toEqual([]);
    writeFileSync(file, 'grace@example.com\n');
    const { changes, report: after } = await readChanges(source, report.cursor ?? '');
    expect(changes).toEqual([]);
    expect(after.doubts).toEqual(['what is left out (exclude) has changed since the last run']);
    expect(after.proof).toBe(false);
  });

  it('a left-out address is not found, nor are those of an entry that has others', async () => {
    const source = excluding(changing([]), { patterns: ['svc-*@*'] });
    const context = { signal: new AbortController().signal };
    expect(await source.find?.('svc-a@example.com', context)).toEqual([]);
    expect(await source.find?.('ada@example.com', context)).toEqual([person('1', ['ada@example.com'])]);
  });
});
