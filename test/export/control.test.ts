/** Control writes the files by itself: at its start, and after each change, whoever made it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { createRollcall } from '../support/rollcall.js';

describe('exports of control', () => {
  const defer = deferred();

  it('follow the list, and a hook that fails hinders no other', async () => {
    const rollcall = createRollcall({
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: { kind: 'csv', path: 'staff.csv' } },
      exports: {
        bad: { format: 'plain', path: 'bad', hook: { command: ['false'] } },
        good: { format: 'texthash', path: 'good', hook: { command: ['sh', '-c', 'cp good copy'] } },
      },
    });
    defer(() => rollcall.remove());
    const list = (names: string) => writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${names}\n`);
    const copy = join(rollcall.folder, 'copy');
    const copied = (): string => (existsSync(copy) ? readFileSync(copy, 'utf8') : '');
    list('ann@example.com');
    const control = await rollcall.start('control');
    await eventually(copied, (text) => text.includes('ann@example.com DUNNO'));
    list('ann@example.com\nbob@example.com');
    const { status, stderr } = await rollcall.cli(['sync', 'staff']);
    expect(status, stderr).toBe(0);
    await eventually(copied, (text) => text.includes('bob@example.com DUNNO'));
    await eventually(
      () => control.log(),
      (log) => log.includes('export not as it should be') && log.includes('exit status 1'),
    );
    await control.stop();
  }, 60_000);
});
