/**
 * Doctor on what the real `postconf` says of a Postfix with the lines of `rollcall snippet`: nothing is wrong with it. And with
 * the faults of a real configuration: they are found.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { mainCf, masterCf } from '../support/postfix-config.js';
import { havePostfix, writeOld } from '../support/postfix.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { mtaConfig, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

interface Found {
  readonly id?: string;
  readonly level: string;
  readonly about: string;
  readonly what: string;
}

/** The folder of a Postfix that is never started. */
function configure(rollcall: Rollcall, main: readonly string[], master: readonly string[]): string {
  const folder = join(rollcall.folder, 'etc');
  mkdirSync(folder, { recursive: true });
  writeOld(join(folder, 'main.cf'), mainCf({ folder, domains: mtaDomains, check: { lines: main } }));
  const [front = '', ...rest] = masterCf(2525).split('\n');
  writeOld(join(folder, 'master.cf'), [...(master.length > 0 ? master : [front]), ...rest].join('\n'));
  return folder;
}

async function doctor(
  rollcall: Rollcall,
  folder: string,
): Promise<{ status: number | null; found: Found[] }> {
  const { status, json, stderr } = await rollcall.cli(['doctor', '--postfix', folder]);
  expect(json, stderr).toBeDefined();
  return { status, found: json?.['findings'] as Found[] };
}

const exports = { edge: { format: 'texthash', path: '/var/lib/rollcall/recipients' } };

describe.skipIf(!havePostfix)('doctor --postfix', () => {
  const defer = deferred();

  it.each(['policy', 'smtp', 'socketmap', 'tcp', 'milter', 'proxy', 'export'])(
    'finds no error in the snippet for %s',
    async (door) => {
      const listen = { listen: '127.0.0.1:10040' };
      const section = door === 'proxy' ? { ...listen, nextHops: ['127.0.0.1:10043'] } : listen;
      const rollcall = createRollcall({
        ...mtaConfig(door === 'export' ? {} : { [door]: section }),
        ...(door === 'export' && { exports }),
      });
      defer(() => rollcall.remove());
      const files = await snippetOf(rollcall, 'postfix', door);
      const folder = configure(rollcall, files['main.cf'] ?? [], files['master.cf'] ?? []);
      const { status, found } = await doctor(rollcall, folder);
      expect(found.filter(({ level }) => level === 'error')).toEqual([]);
      expect(found).toContainEqual(
        expect.objectContaining({ level: 'ok', what: expect.stringContaining('asks Rollcall') as string }),
      );
      expect(status).toBe(0);
    },
    60_000,
  );

  it('finds what is wrong, with its line in main.cf', async () => {
    const rollcall = createRollcall(mtaConfig({ policy: { listen: '127.0.0.1:10040' } }));
    defer(() => rollcall.remove());
    const main = [
      'smtpd_recipient_restrictions = reject_unauth_destination,',
      '  permit_mx_backup, check_policy_service inet:127.0.0.1:10040',
      'smtpd_policy_service_default_action = DUNNO',
      'soft_bounce = yes',
    ];
    const { status, found } = await doctor(rollcall, configure(rollcall, main, []));
    expect(status).toBe(1);
    expect(found.filter(({ level }) => level === 'error').map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'postfix-mx-backup',
        'postfix-policy-bypassed',
        'postfix-fail-open',
        'postfix-soft-bounce',
      ]),
    );
    const soft = found.find(({ id }) => id === 'postfix-soft-bounce');
    expect(soft?.about).toMatch(/^main\.cf:\d+ soft_bounce$/);
  }, 60_000);
});
