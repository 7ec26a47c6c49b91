/**
 * No space left, at every size that makes a run stop somewhere else: the run fails and says why, the old generation
 * serves, and with space again the next run succeeds.
 *
 * Where tmpfs cannot be mounted, a limit on the size of files stands in for it; that part always runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { session } from '../support/smtp-client.js';
import { readStore, type StoreState } from '../support/store.js';

const kib = 1024;
const mib = 1024 * kib;

/** Mounts a small tmpfs; undefined where that is not allowed. */
function mountTmpfs(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-tmpfs-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${48 * mib}`, 'tmpfs', folder]);
  if (mounted.status === 0) return folder;
  rmSync(folder, { recursive: true });
  return undefined;
}

/** Also while something in there is still open. */
function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
}

const probe = mountTmpfs();
if (probe === undefined)
  console.warn('SKIPPED: no tmpfs can be mounted here; a full disk is played by a file size limit only');
else unmount(probe);

const people = 20_000;
const list = (count: number): string =>
  `email\n${Array.from({ length: count }, (_, i) => `p${i}@example.com\n`).join('')}`;
const known = ['p0@example.com', `p${people - 1}@example.com`];
const newcomer = `p${people}@example.com`;
const unknown = 'nobody@example.com';

interface Short {
  readonly rollcall: Rollcall;
  readonly edge: RunningProcess;
  readonly before: StoreState;
}

async function prepare(defer: ReturnType<typeof deferred>, dataDir?: string): Promise<Short> {
  const rollcall = createRollcall({
    ...(dataDir !== undefined && { dataDir }),
    domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
    sources: { staff: { kind: 'csv', path: 'list.csv' } },
    edges: { smtp: { listen: '127.0.0.1:0' } },
  });
  defer(() => rollcall.remove());
  writeFileSync(join(rollcall.folder, 'list.csv'), list(people));
  expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ status: 0, json: { state: 'applied' } });
  const edge = await rollcall.start('edge');
  // a third more, so that every file has to grow
  writeFileSync(join(rollcall.folder, 'list.csv'), list(people * 1.3));
  return { rollcall, edge, before: readStore(rollcall.dataDir) };
}

async function verdicts(edge: RunningProcess): Promise<string[]> {
  const answers = await session(edge.port('smtp'), 'x@elsewhere.test', [...known, newcomer, unknown]);
  return answers.map((answer) => answer.slice(0, 9));
}

const oldVerdicts = ['250 2.1.5', '250 2.1.5', '550 5.1.1', '550 5.1.1'];
const newVerdicts = ['250 2.1.5', '250 2.1.5', '250 2.1.5', '550 5.1.1'];

describe.skipIf(probe === undefined)('a full disk', () => {
  let folder: string;
  let filler: string;
  let short: Short;
  const defer = deferred();

  beforeAll(async () => {
    folder = mountTmpfs() ?? '';
    defer(() => unmount(folder));
    filler = join(folder, 'filler');
    short = await prepare(defer, join(folder, 'data'));
  });

  function leaveFree(bytes: number): void {
    rmSync(filler, { force: true });
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
  }

  it('fails the run with the reason, wherever it is hit, and the old generation serves', async () => {
    const { rollcall, edge, before } = short;
    const failures: string[] = [];
    for (let free = 64 * kib; free <= 32 * mib; free *= 2) {
      leaveFree(free);
      const { status, json, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
      const told = `with ${free / kib} KiB free: ${stdout}${stderr}`;
      if (status === 0) break;
      expect(status, told).toBe(1);
      expect(stdout + stderr, told).toMatch(/disk is full|no space left|ENOSPC/i);
      expect(await verdicts(edge), told).toEqual(oldVerdicts);
      rmSync(filler);
      const found = readStore(rollcall.dataDir);
      const { state } = (json ?? {}) as { state?: string };
      failures.push(state ?? 'not recorded');
      // the directory may have the new generation already, when only publishing it met the full disk
      if (found.generation !== before.generation) break;
      expect(found, told).toEqual(before);
    }
    expect(failures.length).toBeGreaterThanOrEqual(4);
    expect(failures).toContain('failed');
  }, 90_000);

  it('with space again, the next run succeeds and its generation serves', async () => {
    const { rollcall, edge } = short;
    rmSync(filler, { force: true });
    const { status, stdout } = await rollcall.cli(['sync', 'staff']);
    expect(status, stdout).toBe(0);
    expect(readStore(rollcall.dataDir).claims).toBe(people * 1.3);
    expect(
      await eventually(
        () => verdicts(edge),
        ([, , added]) => added === newVerdicts[2],
      ),
    ).toEqual(newVerdicts);
  }, 30_000);
});

describe('a limit on the size of files', () => {
  let short: Short;
  const defer = deferred();

  beforeAll(async () => {
    short = await prepare(defer);
  });

  // without the signal, a write past the limit fails with EFBIG
  const limitedTo = (blocks: number): string[] => [
    'sh',
    '-c',
    `trap '' XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`,
  ];

  it('fails the run with the reason, and without the limit the next run succeeds', async () => {
    const { rollcall, edge, before } = short;
    for (const blocks of [256, 1024]) {
      const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff'], { under: limitedTo(blocks) });
      expect(status, stdout + stderr).toBe(1);
      expect(stdout + stderr).toMatch(/disk is full|disk I\/O error|EFBIG|too large/i);
      expect(await verdicts(edge)).toEqual(oldVerdicts);
      expect(readStore(rollcall.dataDir)).toEqual(before);
    }
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ status: 0, json: { state: 'applied' } });
    await eventually(
      () => verdicts(edge),
      ([, , added]) => added === newVerdicts[2],
    );
  }, 60_000);
});
