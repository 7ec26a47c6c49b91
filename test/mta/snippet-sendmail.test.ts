/** Sendmail with the very lines that `rollcall snippet sendmail` prints. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { haveSendmail, startSendmail } from '../support/sendmail.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

// Sendmail takes no socket below a folder that anybody may write to, such as /tmp.
const folder = haveSendmail ? mkdtempSync('/run/rollcall-snippet-') : '';
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const socket = `unix:${join(folder, 'milter.sock')}`;

for (const { door, listen } of [
  { door: 'milter', listen: socket },
  { door: 'milter' },
  { door: 'socketmap' },
]) {
  describeMta(
    `Sendmail with the snippet for the door ${door} on ${listen === undefined ? 'TCP' : 'a socket'}`,
    {
      have: haveSendmail,
      edges: ({ port }) => ({ [door]: { listen: listen ?? `127.0.0.1:${port}` } }),
      start: async ({ rollcall }) => {
        const { 'sendmail.mc': lines = [] } = await snippetOf(rollcall, 'sendmail', door);
        // the sections stand at the end of the file, as Sendmail wants it
        const config = lines.indexOf('LOCAL_CONFIG');
        const rulesets = lines.indexOf('LOCAL_RULESETS');
        if (config < 0) return startSendmail({ domains: mtaDomains, mc: lines });
        return startSendmail({
          domains: mtaDomains,
          localConfig: lines.slice(config + 1, rulesets),
          localRulesets: lines.slice(rulesets + 1),
        });
      },
    },
  );
}
