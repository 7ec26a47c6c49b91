/** Exim folds the case of `$local_part` in its ACLs, so lines by hand cannot ask as the client wrote. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim } from '../support/exim.js';
import { freePort } from '../support/free-port.js';
import { createRollcall } from '../support/rollcall.js';
import { rcpt } from './scenario.js';

describe.skipIf(!haveExim)(
  'Exim that asks with a folded local part about a domain that tells cases apart',
  () => {
    const defer = deferred();

    it('takes everybody who is listed, in whatever case', async () => {
      const port = await freePort();
      const rollcall = createRollcall({
        domains: { 'case.example': { mode: 'enforce', sources: ['staff'], caseSensitive: true } },
        sources: { staff: { kind: 'csv', path: 'staff.csv' } },
        edges: { readsocket: { listen: `127.0.0.1:${port}` } },
      });
      defer(() => rollcall.remove());
      mkdirSync(rollcall.folder, { recursive: true });
      writeFileSync(join(rollcall.folder, 'staff.csv'), 'email\nJohn@case.example\n');
      expect((await rollcall.cli(['sync', 'staff'])).status).toBe(0);
      await rollcall.start('edge');
      const exim = await startExim({
        domains: ['case.example'],
        acl: [
          '  warn',
          `    set acl_m_said = \${readsocket{inet:127.0.0.1:${port}}{$local_part@$domain\\n}{10s}{}{451 later}}`,
          '  deny',
          '    condition = ${if !match{$acl_m_said}{\\N^2\\N}}',
          '    message = $acl_m_said',
        ],
      });
      defer(() => exim.stop());
      for (const known of ['John@case.example', 'John+news@case.example'])
        expect(await rcpt(exim.port, known), exim.log()).toMatch(/^250 /);
      expect(await rcpt(exim.port, 'nobody@case.example'), exim.log()).toMatch(/^550 5\.1\.1 /);
    }, 60_000);
  },
);
