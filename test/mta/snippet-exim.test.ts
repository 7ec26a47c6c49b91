/** Exim with the very lines that `rollcall snippet exim` prints. */
import { haveExim, startExim } from '../support/exim.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

for (const door of ['readsocket', 'smtp']) {
  describeMta(`Exim with the snippet for the door ${door}`, {
    have: haveExim,
    edges: ({ port }) => ({ [door]: { listen: `127.0.0.1:${port}` } }),
    start: async ({ rollcall }) => {
      const files = await snippetOf(rollcall, 'exim', door);
      return startExim({
        domains: mtaDomains,
        acl: files['exim.conf: acl'] ?? [],
        main: files['exim.conf: main'] ?? [],
        routers: files['exim.conf: routers'] ?? [],
        transports: files['exim.conf: transports'] ?? [],
      });
    },
    refusal: /^550 5\.1\.1 No such mailbox here \(ref \w{8}\)$/,
  });
}
