/** Exim verifies recipients by calling out to the `smtp` door, with the very lines that `rollcall snippet exim` prints. */
import { haveExim, startExim } from '../support/exim.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

describeMta('Exim with a recipient callout', {
  have: haveExim,
  edges: ({ port }) => ({ smtp: { listen: `127.0.0.1:${port}` } }),
  start: async ({ rollcall }) => {
    const files = await snippetOf(rollcall, 'exim', 'smtp');
    return startExim({
      domains: mtaDomains,
      main: files['exim.conf: main'] ?? [],
      acl: files['exim.conf: acl'] ?? [],
      routers: files['exim.conf: routers'] ?? [],
      transports: files['exim.conf: transports'] ?? [],
    });
  },
  refusal: /^550 5\.1\.1 No such mailbox here \(ref \w{8}\)$/,
});
