/** Sendmail with the very lines that `rollcall snippet sendmail` prints. */
import { haveSendmail, startSendmail } from '../support/sendmail.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

for (const door of ['milter', 'socketmap']) {
  describeMta(`Sendmail with the snippet for the door ${door}`, {
    have: haveSendmail,
    edges: ({ port }) => ({ [door]: { listen: `127.0.0.1:${port}` } }),
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
  });
}
