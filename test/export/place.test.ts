/** Two that write one file, and what stands in its place: nobody's work is taken for one's own. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { people } from '../support/array-source.js';
import { eventually } from '../support/eventually.js';
import { House, noLimits } from '../support/house.js';
import { exportFrom, fileOf } from './export-room.js';

let house: House;
beforeEach(async () => {
  house = new House();
  await house.sync({ entries: people(20) }, { limits: noLimits });
});
afterEach(() => house.close());

describe('two exports into one file', () => {
  it('take turns, whatever they are called and however they spell it', async () => {
    const [began, go] = [join(house.folder, 'began'), join(house.folder, 'go')];
    const wait = `touch ${began}; while [ ! -e ${go} ]; do sleep 0.05; done`;
    const hook = { command: ['sh', '-c', wait] as [string, ...string[]], timeoutMs: 20_000 };
    const first = exportFrom(house, { name: 'one', hook });
    await eventually(
      () => existsSync(began),
      (there) => there,
    );
    mkdirSync(join(house.folder, 'sub'));
    symlinkSync(house.folder, join(house.folder, 'sub/up'));
    for (const path of [`${house.folder}/./recipients`, join(house.folder, 'sub/up/recipients')])
      await expect(exportFrom(house, { name: 'two', path })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('being written by another process') as unknown,
      });
    writeFileSync(go, '');
    expect(await first).toMatchObject({ state: 'written', hook: { ok: true } });
    expect(await exportFrom(house, { name: 'two' })).toMatchObject({ state: 'written' });
  });

  it('leave the temporary files of the living alone, and remove those of the dead', async () => {
    const suffix = '0123456789ab';
    const alive = `${fileOf(house)}.rollcall-new-${process.ppid}-${suffix}`;
    const dead = `${fileOf(house)}.rollcall-new-${2 ** 22 + 1}-${suffix}`;
    const foreign = `${fileOf(house)}.rollcall-new`;
    for (const file of [alive, dead, foreign]) writeFileSync(file, 'half');
    expect(await exportFrom(house)).toMatchObject({ state: 'written' });
    expect([alive, dead, foreign].map((file) => existsSync(file))).toEqual([true, false, true]);
    expect(readFileSync(alive, 'utf8')).toBe('half');
  });
});

describe('a symbolic link that leads nowhere', () => {
  it('is refused, not replaced: the volume may not be mounted', async () => {
    symlinkSync('/no/such/volume/recipients', fileOf(house));
    for (const force of [false, true])
      expect(await exportFrom(house, { force })).toMatchObject({
        state: 'failed',
        reasons: [expect.stringContaining('leads nowhere')],
      });
    expect(readlinkSync(fileOf(house))).toBe('/no/such/volume/recipients');
    expect(readdirSync(house.folder).filter((name) => name.includes('rollcall-new'))).toEqual([]);
  });
});
