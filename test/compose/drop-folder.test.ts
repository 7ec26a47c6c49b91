/** Lists dropped into a folder, with real files, real runs and an injected clock. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createDropFolder,
  type DropDeps,
  type DropFolder,
  type DropOptions,
} from '../../src/compose/drop/drop-folder.js';
import { skippedIn } from '../../src/compose/drop/control.js';
import { dropOptionsOf } from '../../src/compose/drop/watch.js';
import { runJob, type Job } from '../../src/compose/jobs.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { RollcallError } from '../../src/errors.js';
import type { RunRecord } from '../../src/store/store.js';
import { readStore } from '../support/store.js';

const second = 1000;
let root: string;
let inbox: string;
let config: Config;
let later: number; // the clock is that much ahead of the files
let told: string[];
let beforeRun: (job: Job) => void | Promise<void>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rollcall-drop-'));
  inbox = join(root, 'inbox');
  mkdirSync(inbox);
  configure({});
  later = 0;
  told = [];
  beforeRun = () => undefined;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function configure(source: object): void {
  const text = JSON.stringify({
    dataDir: './data',
    domains: { 'example.com': { sources: ['staff'] } },
    sources: { staff: { kind: 'csv', folder: './inbox', ...source } },
  });
  writeFileSync(join(root, 'config.json'), text);
  config = loadConfig(join(root, 'config.json')).config;
}

function folder(deps: Partial<DropDeps> = {}, changes: Partial<DropOptions> = {}): DropFolder {
  const found = dropOptionsOf(config, 'staff');
  if (found === undefined) throw new Error('no folder');
  const options = { ...found, ...changes };
  const hooks = { signal: new AbortController().signal };
  return createDropFolder(options, {
    run: async (job): Promise<RunRecord> => {
      await beforeRun(job);
      return await runJob(config, job, hooks);
    },
    problems: (run, limit) => skippedIn(config, run, limit),
    tell: (level, fields, message) => told.push(`${level} ${message} ${JSON.stringify(fields)}`),
    now: () => Date.now() + later,
    ...deps,
  });
}

const byControl = { actor: 'folder', dryRun: false, atOnce: false } as const;

function list(name: string, ...people: string[]): string {
  const path = join(inbox, name);
  writeFileSync(path, `email\n${people.map((each) => `${each}@example.com\n`).join('')}`);
  return path;
}

/** Names in a place, without the time in front of them. */
function inside(place: '.' | 'done' | 'failed' | 'processing'): string[] {
  if (!existsSync(join(inbox, place))) return [];
  const names = readdirSync(join(inbox, place), { withFileTypes: true });
  return names
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name.replace(/^\d{8}T\d{6}Z-[0-9a-f]{4}-/, ''))
    .sort();
}

function report(place: 'done' | 'failed', end: '.json' | '.txt', of = ''): string {
  const name = readdirSync(join(inbox, place)).find((each) => each.endsWith(`${of}.report${end}`));
  return readFileSync(join(inbox, place, name ?? 'none'), 'utf8');
}

describe('a list that was dropped', () => {
  it('is read when it has settled, and put away with its report', async () => {
    configure({ maxBadPercent: 50 });
    const drop = folder();
    list('staff.csv', 'ann', 'bob', 'bad address');
    const early = await drop.take(byControl);
    expect(early.record).toBeUndefined();
    expect(early.nextInMs).toBeGreaterThan(5 * second);
    expect(inside('.')).toEqual(['staff.csv']);

    later = 11 * second;
    expect((await drop.take(byControl)).record?.state).toBe('applied');
    expect(inside('.')).toEqual([]);
    expect(inside('processing')).toEqual([]);
    expect(inside('done')).toEqual(['staff.csv', 'staff.csv.report.json', 'staff.csv.report.txt']);
    expect(readStore(config.dataDir).claims).toBe(2);
    expect(JSON.parse(report('done', '.json'))).toMatchObject({
      file: 'staff.csv',
      source: 'staff',
      state: 'applied',
      run: 1,
      counts: { added: 2, skipped: 1 },
      skippedLines: [{ where: 'line 4' }],
    });
    const text = report('done', '.txt');
    expect(text).toMatch(/^staff\.csv: applied\nRun 1 of source staff, \d{4}-/);
    expect(text).toContain('2 added');
    expect(text).toMatch(/Hash of the plan: [0-9a-f]{16}/);
    expect(text).toMatch(/\nSkipped:\n {2}line 4: /);
  });

  it('is the whole list, under the guard', async () => {
    const people = Array.from({ length: 100 }, (_, index) => `p${index}`);
    list('a.csv', ...people);
    later = 11 * second;
    const drop = folder();
    await drop.take(byControl);
    list('b.csv', ...people.slice(0, 50));
    expect((await drop.take(byControl)).record).toMatchObject({ state: 'held', counts: { held: 50 } });
    expect(report('done', '.txt', 'b.csv')).toContain('Held changes wait for a person: `rollcall show 2`');
    expect(readStore(config.dataDir).claims).toBe(100);
  });

  it('is never "delete all" when it is empty; what has no octet yet waits longer', async () => {
    const drop = folder();
    list('a.csv', 'ann');
    later = 11 * second;
    await drop.take(byControl);
    writeFileSync(join(inbox, 'b.csv'), '');
    expect((await drop.take(byControl)).record).toBeUndefined();
    later = 61 * second;
    expect((await drop.take(byControl)).record).toMatchObject({ state: 'refused' });
    expect(inside('failed')).toEqual(['b.csv', 'b.csv.report.json', 'b.csv.report.txt']);
    expect(report('failed', '.txt')).toContain('the list is empty');
    expect(readStore(config.dataDir).claims).toBe(1);
  });

  it('that is too large is put away unread', async () => {
    configure({ maxSize: '1KiB' });
    list('big.csv', ...Array.from({ length: 100 }, (_, index) => `person${index}`));
    later = 11 * second;
    await folder().take(byControl);
    expect(report('failed', '.txt')).toContain('more than maxSize (1024)');
    expect(told.join('\n')).toContain('error list from folder put away');
  });
});

describe('what is not a settled list', () => {
  it('is left alone: links, pipes, folders, other names, unfinished names', async () => {
    writeFileSync(join(root, 'secret'), 'email\nann@example.com\n');
    symlinkSync(join(root, 'secret'), join(inbox, 'link.csv'));
    execFileSync('mkfifo', [join(inbox, 'pipe.csv')]);
    mkdirSync(join(inbox, 'folder.csv'));
    for (const name of ['x.csv.filepart', '.y.csv', '~z.csv', 'w.csv.part', 'readme.md']) list(name, 'ann');
    configure({ pattern: '*' });
    later = 3600 * second;
    writeFileSync(join(inbox, 'readme.md'), '');
    rmSync(join(inbox, 'readme.md'));
    expect((await folder().take(byControl)).record).toBeUndefined();
    expect(readdirSync(inbox).sort()).toEqual(
      ['.y.csv', 'folder.csv', 'link.csv', 'pipe.csv', 'w.csv.part', 'x.csv.filepart', '~z.csv'].sort(),
    );
  });

  it('waits as long as it grows, whatever time it is given', async () => {
    const drop = folder();
    const path = list('staff.csv', 'ann');
    utimesSync(path, new Date(0), new Date(0));
    expect((await drop.take(byControl)).record).toBeUndefined();
    later = 9 * second;
    appendFileSync(path, 'bob@example.com\n');
    expect((await drop.take(byControl)).record).toBeUndefined();
    later = 20 * second;
    expect((await drop.take(byControl)).record?.counts.added).toBe(2);
  });

  it('is read from a machine whose clock is ahead, once it was seen unchanged for long enough', async () => {
    const drop = folder();
    list('staff.csv', 'ann');
    later = -3600 * second;
    expect((await drop.take(byControl)).nextInMs).toBeLessThanOrEqual(10 * second);
    later += 10 * second;
    expect((await drop.take(byControl)).record?.state).toBe('applied');
  });

  it('waits on a share whose clock is behind, until it was seen unchanged for long enough', async () => {
    const clockAhead = (): Promise<number> => Promise.resolve(60 * second);
    const drop = folder({}, { clockAhead });
    list('staff.csv', 'ann');
    later = 60 * second;
    expect((await drop.take(byControl)).record).toBeUndefined();
    later += 10 * second;
    expect((await drop.take(byControl)).record?.state).toBe('applied');
  });

  it('is read again when it was written to during the read', async () => {
    const drop = folder();
    list('staff.csv', 'ann');
    later = 11 * second;
    beforeRun = (job) => {
      if (job.kind === 'upload') appendFileSync(job.upload.path, 'bob@example.com\n');
      beforeRun = () => undefined;
    };
    await drop.take(byControl);
    expect(inside('processing')).toEqual(['staff.csv']);
    expect(inside('done')).toEqual([]);
    later = 22 * second;
    expect((await drop.take(byControl)).record?.state).not.toBe('failed');
    expect(inside('processing')).toEqual([]);
    expect(readStore(config.dataDir).claims).toBe(2);
  });
});

describe('several lists', () => {
  function aged(name: string, minutes: number, ...people: string[]): void {
    const at = new Date(Date.now() - minutes * 60_000);
    utimesSync(list(name, ...people), at, at);
  }

  it('the newest counts, older ones are put away as superseded', async () => {
    aged('monday.csv', 30, 'ann');
    aged('tuesday.csv', 20, 'ann', 'bob');
    aged('sunday.csv', 40, 'zed');
    later = 11 * second;
    await folder().take(byControl);
    expect(readStore(config.dataDir).claims).toBe(2);
    expect(readStore(config.dataDir).generation).toBe(1);
    expect(inside('done').filter((name) => name.endsWith('.csv'))).toEqual([
      'monday.csv',
      'sunday.csv',
      'tuesday.csv',
    ]);
    expect(report('done', '.txt', 'monday.csv')).toContain('tuesday.csv is newer and counts instead');
  });

  it('the newest counts, however many there are', async () => {
    for (let day = 0; day < 1100; day += 1) aged(`${String(day)}.csv`, day, 'ann', `day${String(day)}`);
    later = 11 * second;
    const drop = folder();
    await drop.take(byControl);
    expect((await drop.take(byControl)).record).toBeUndefined();
    expect(readStore(config.dataDir).generation).toBe(1);
    expect(inside('.')).toEqual([]);
  });

  it('no older one counts after a crash, or trouble with the disk', async () => {
    aged('monday.csv', 30, 'ann');
    aged('tuesday.csv', 20, 'ann', 'bob');
    later = 11 * second;
    const full = (): never => {
      throw new Error('no space left');
    };
    // what is told last of a list is that it was put away: the process ends there
    await expect(folder({ tell: full }).take(byControl)).rejects.toThrow('no space left');
    expect(inside('processing')).toEqual(['tuesday.csv']);
    const record = (await folder().take(byControl)).record;
    expect(record).toMatchObject({ state: 'unchanged' });
    expect(readStore(config.dataDir).generation).toBe(1);
  });

  it('one from a clock that is ahead is not newer than what came after it', async () => {
    const ahead = new Date(Date.now() + 3_600 * second);
    utimesSync(list('first.csv', 'ann'), ahead, ahead);
    await new Promise((resolve) => setTimeout(resolve, 20));
    list('second.csv', 'ann', 'bob');
    later = 11 * second;
    await folder().take(byControl);
    expect(readStore(config.dataDir).claims).toBe(2);
    expect(report('done', '.txt', 'first.csv')).toContain('second.csv is newer and counts instead');
  });

  it('an older one counts when the newest is no list', async () => {
    aged('monday.csv', 30, 'ann');
    writeFileSync(join(inbox, 'tuesday.csv'), '<!DOCTYPE html><html><body>Sign in</body></html>\n');
    later = 11 * second;
    await folder().take(byControl);
    expect(inside('failed')[0]).toBe('tuesday.csv');
    expect(inside('done')[0]).toBe('monday.csv');
    expect(readStore(config.dataDir).claims).toBe(1);
  });

  it('one that takes the name of another while that is read is not lost', async () => {
    list('staff.csv', 'ann');
    later = 11 * second;
    const drop = folder();
    beforeRun = () => {
      list('new', 'ann', 'bob');
      renameSync(join(inbox, 'new'), join(inbox, 'staff.csv'));
      beforeRun = () => undefined;
    };
    await drop.take(byControl);
    expect(inside('.')).toEqual(['staff.csv']);
    expect(readStore(config.dataDir).claims).toBe(1);
    await drop.take(byControl);
    expect(readStore(config.dataDir).claims).toBe(2);
    expect(inside('done').filter((name) => name === 'staff.csv')).toHaveLength(2);
  });
});

describe('when something goes wrong', () => {
  it('a crash after the list counted leaves it where it is read again, and nothing changes', async () => {
    list('staff.csv', 'ann', 'bob');
    later = 11 * second;
    const hooks = { signal: new AbortController().signal };
    const crash = folder({
      run: async (job) => {
        await runJob(config, job, hooks);
        throw new RollcallError('internal', 'power lost');
      },
    });
    await crash.take(byControl);
    const { generation } = readStore(config.dataDir);
    expect(inside('processing')).toEqual(['staff.csv']);
    later = 22 * second;
    expect((await folder().take(byControl)).record?.state).toBe('unchanged');
    expect(readStore(config.dataDir).generation).toBe(generation);
    expect(inside('done')[0]).toBe('staff.csv');
  });

  it('a run that failed through no fault of the list is tried again later and later, and given up at last', async () => {
    list('staff.csv', 'ann');
    let tries = 0;
    const drop = folder({
      run: () => {
        tries += 1;
        return Promise.reject(new RollcallError('internal', 'the thread died'));
      },
    });
    const counted: number[] = [];
    for (later = 11 * second; later < 86_400_000; later += 30 * second) {
      await drop.take(byControl);
      if (inside('processing').length === 0) break;
      counted.push(tries);
    }
    expect(tries).toBe(8);
    expect(counted.filter((n) => n === 6).length).toBeGreaterThan(counted.filter((n) => n === 3).length);
    expect(report('failed', '.txt')).toContain('the thread died');
  });

  it('another process that takes from the folder is not disturbed', async () => {
    list('staff.csv', 'ann');
    later = 11 * second;
    let refused: unknown;
    beforeRun = async () => {
      list('other.csv', 'eve');
      refused = await folder()
        .take(byControl)
        .catch((error: unknown) => error);
    };
    await folder().take(byControl);
    expect(refused).toMatchObject({ code: 'conflict' });
    expect(inside('done')[0]).toBe('staff.csv');
  });

  it('a folder that is not there is an error that says what to do', async () => {
    rmSync(inbox, { recursive: true });
    await expect(folder().take(byControl)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining(inbox) as unknown,
      hint: expect.stringContaining('must exist') as unknown,
    });
  });
});

describe('what was put away', () => {
  it('is kept for its time and in its number; other files there are not touched', async () => {
    configure({ keep: { files: 2, age: '1d' } });
    const drop = folder();
    for (const [index, person] of ['ann', 'bob', 'cem'].entries()) {
      later = (index * 20 + 11) * second;
      list(`list${index}.csv`, person);
      await drop.take(byControl);
    }
    writeFileSync(join(inbox, 'done', 'notes.txt'), 'mine');
    const lists = () => inside('done').filter((name) => !name.includes('report'));
    expect(lists()).toEqual(['list1.csv', 'list2.csv', 'notes.txt']);
    later = 2 * 86_400 * second;
    await drop.prune();
    expect(inside('done')).toEqual(['notes.txt']);
  });
});

describe('somebody who asks', () => {
  it('gets the run, and a preview takes nothing away', async () => {
    list('staff.csv', 'ann');
    later = 11 * second;
    const asked = { actor: 'ann', dryRun: true, atOnce: true } as const;
    expect((await folder().take(asked)).record?.state).toBe('planned');
    expect(inside('.')).toEqual(['staff.csv']);
    expect((await folder().take({ ...asked, dryRun: false })).record?.state).toBe('applied');
  });
});

describe('a sender who puts links in the place of our folders', () => {
  const theirs = '20260101T000000Z-0000-theirs.csv';
  const [old, year] = [{ files: 0, age: '1h' }, 366 * 86_400 * second];

  it.each(['processing', 'done', 'failed'])(
    'neither takes nor deletes the lists of others: %s',
    async (place) => {
      const others = join(root, 'others');
      mkdirSync(others);
      writeFileSync(join(others, theirs), 'email\nboss@example.com\n');
      symlinkSync(others, join(inbox, place));
      configure({ keep: old });
      later = year;
      const taken = folder();
      await taken.take(byControl).catch(() => undefined);
      await taken.prune();
      expect(readdirSync(others)).toEqual([theirs]);
    },
  );

  it('is told why nothing is taken', async () => {
    symlinkSync(root, join(inbox, 'processing'));
    await expect(folder().take(byControl)).rejects.toThrow(/processing cannot be read: it is not a folder/);
  });
});

it('a clock that goes back has no list wait until then', async () => {
  const path = list('staff.csv', 'ann');
  const taken = folder();
  later = 3_600 * second;
  utimesSync(path, new Date(), new Date());
  appendFileSync(path, 'bob@example.com\n');
  later = -3_600 * second; // the file is from the future, and was seen then
  await taken.take(byControl);
  later = -7_200 * second;
  await taken.take(byControl);
  later += 11 * second;
  expect((await taken.take(byControl)).record?.state).toBe('applied');
});
