/** Exim puts local parts into lower case for its ACLs: the lines for a domain that tells cases apart ask as the client wrote. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim } from '../support/exim.js';
import { freePort } from '../support/free-port.js';
import { createRollcall } from '../support/rollcall.js';
import { rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

describe.skipIf(!haveExim).each(['readsocket', 'smtp'])(
  'Exim asking through %s about a domain that tells cases apart',
  (door) => {
    const defer = deferred();

    it('takes a listed spelling with capitals', async () => {
      const rollcall = createRollcall({
        domains: {
          'case.example': { mode: 'enforce', sources: ['staff'], caseSensitive: true },
          'example.com': { mode: 'enforce', sources: ['staff'] },
        },
        sources: { staff: { kind: 'csv', path: 'staff.csv' } },
        edges: { [door]: { listen: `127.0.0.1:${await freePort()}` } },
      });
      defer(() => rollcall.remove());
      mkdirSync(rollcall.folder, { recursive: true });
      writeFileSync(join(rollcall.folder, 'staff.csv'), 'email\nJohn@case.example\njane@example.com\n');
      const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
      expect(status, `${stdout}${stderr}`).toBe(0);
      await rollcall.start('edge');
      const files = await snippetOf(rollcall, 'exim', door);
      const exim = await startExim({
        domains: ['case.example', 'example.com'],
        main: files['exim.conf: main'] ?? [],
        // what follows sees lower case again
        acl: [
          ...(files['exim.conf: acl'] ?? []),
          '  deny condition = ${if match{$local_part}{\\N[A-Z]\\N}}',
          '    message = 550 5.5.0 capitals',
        ],
        routers: files['exim.conf: routers'] ?? [],
        transports: files['exim.conf: transports'] ?? [],
      });
      defer(() => exim.stop());
      for (const known of ['John@case.example', 'John+news@case.example', 'JANE@EXAMPLE.COM'])
        expect(await rcpt(exim.port, known), exim.log()).toMatch(/^250 /);
      for (const unknown of ['Nobody@case.example', 'nobody@case.example', 'Nobody@example.com'])
        expect(await rcpt(exim.port, unknown), exim.log()).toMatch(/^550 5\.1\.1 /);
      // the door's own log says how the address came
      const { json } = await rollcall.cli(['check', 'John@case.example']);
      expect(json).toMatchObject({ action: 'accept' });
    }, 60_000);
  },
);
