/** Exim verifies recipients by calling out to the `smtp` door, and answers with its words. */
import { haveExim, startExim } from '../support/exim.js';
import { describeMta, mtaDomains } from './scenario.js';

describeMta('Exim with a recipient callout', {
  have: haveExim,
  edges: ({ port }) => ({ smtp: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startExim({
      domains: mtaDomains,
      acl: [
        '  deny',
        // without "Callout verification failed:" on a line before
        '    message = ${sg{$acl_verify_message}{\\N(?s)^.*\\n\\N}{}}',
        '    !verify = recipient/callout=10s,no_cache',
      ],
      nextHop: port,
    }),
  refusal: /^550 5\.1\.1 No such mailbox here \(ref \w{8}\)$/,
});
