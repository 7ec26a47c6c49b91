/** The systemd units: they run commands that exist, and their times fit those of the program. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCommand } from '../support/peers.js';

const folder = fileURLToPath(new URL('../../deploy/', import.meta.url));
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));

function setting(unit: string, name: string): string {
  const line = new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(join(folder, unit), 'utf8'));
  return line?.[1] ?? '';
}

describe.each(units)('%s', (unit) => {
  it('runs a command of Rollcall', () => {
    const command = {
      'rollcall.service': ['', 'serve'],
      'rollcall-control.service': ['', 'control'],
      'rollcall-edge.service': [' --max-semi-space-size=4', 'edge'],
    };
    const [flag, name] = command[unit as keyof typeof command];
    expect(setting(unit, 'ExecStart')).toBe(
      `/usr/bin/node --enable-source-maps${flag} /opt/rollcall/dist/main.js -c /etc/rollcall/config.json ${name}`,
    );
  });

  it('reloads by SIGHUP, is not started again on a wrong configuration, and gives a stop its time', () => {
    expect(setting(unit, 'ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    expect(setting(unit, 'RestartPreventExitStatus')).toBe('2');
    // serve gives its children 30 s before it kills them
    expect(Number(setting(unit, 'TimeoutStopSec').replace('s', ''))).toBeGreaterThan(30);
  });

  it.skipIf(findCommand('systemd-analyze') === undefined)('is right in systemd’s eyes', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', join(folder, unit)], {
      encoding: 'utf8',
    });
    // what systemd says of the machine's own files is not about this unit
    expect(
      stderr.split('\n').filter((line) => line.includes(unit) && !line.includes('is not executable')),
    ).toEqual([]);
    expect(status).not.toBeNull();
  });
});
