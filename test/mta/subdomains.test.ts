/** A domain with `includeSubdomains`: the lines that snippet prints ask about the subdomains too. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim } from '../support/exim.js';
import { freePort } from '../support/free-port.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { haveSendmail, startSendmail } from '../support/sendmail.js';
import { rcpt, type Mta } from './scenario.js';
import { snippetOf } from './snippets.js';

async function exim(rollcall: Rollcall): Promise<Mta> {
  const files = await snippetOf(rollcall, 'exim', 'readsocket');
  return startExim({
    domains: ['example.com', '*.example.com'],
    main: files['exim.conf: main'] ?? [],
    acl: files['exim.conf: acl'] ?? [],
  });
}

async function sendmail(rollcall: Rollcall): Promise<Mta> {
  const { 'sendmail.mc': lines = [] } = await snippetOf(rollcall, 'sendmail', 'socketmap');
  const rulesets = lines.indexOf('LOCAL_RULESETS');
  return startSendmail({
    domains: ['example.com'],
    localConfig: lines.slice(lines.indexOf('LOCAL_CONFIG') + 1, rulesets),
    localRulesets: lines.slice(rulesets + 1),
  });
}

describe.each([
  { name: 'Exim', have: haveExim, door: 'readsocket', start: exim },
  { name: 'Sendmail', have: haveSendmail, door: 'socketmap', start: sendmail },
])('$name and a domain with its subdomains', ({ have, door, start }) => {
  const defer = deferred();

  it.skipIf(!have)(
    'asks about both',
    async () => {
      const rollcall = createRollcall({
        domains: { 'example.com': { mode: 'enforce', sources: ['staff'], includeSubdomains: true } },
        sources: { staff: { kind: 'csv', path: 'staff.csv' } },
        edges: { [door]: { listen: `127.0.0.1:${await freePort()}` } },
      });
      defer(() => rollcall.remove());
      mkdirSync(rollcall.folder, { recursive: true });
      const rows = ['person@example.com', 'person@a.example.com', 'deep@b.a.example.com'];
      writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${rows.join('\n')}\n`);
      const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
      expect(status, `${stdout}${stderr}`).toBe(0);
      await rollcall.start('edge');
      const mta = await start(rollcall);
      defer(() => mta.stop());
      for (const address of rows) expect(await rcpt(mta.port, address), mta.log()).toMatch(/^250 /);
      for (const domain of ['example.com', 'a.example.com', 'b.a.example.com'])
        expect(await rcpt(mta.port, `nobody@${domain}`), mta.log()).toMatch(/^550 5\.1\.1 /);
    },
    60_000,
  );
});
