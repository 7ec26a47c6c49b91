/** Postfix asks by socketmap: who may be written to (`recipients`), and what it relays for (`domains`). */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta } from './scenario.js';

describeMta('Postfix with socketmap', {
  have: havePostfix,
  edges: ({ port }) => ({ socketmap: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({
      domains: [],
      check: {
        lines: [
          `relay_domains = socketmap:inet:127.0.0.1:${port}:domains`,
          `relay_recipient_maps = socketmap:inet:127.0.0.1:${port}:recipients`,
        ],
      },
    }),
});
