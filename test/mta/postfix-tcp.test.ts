/** Postfix asks by tcp_table, for recipients and domains; while nobody answers, it waits about 9 s for each of them. */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta } from './scenario.js';

describeMta('Postfix with tcp', {
  have: havePostfix,
  patience: 30,
  edges: ({ port }) => ({ tcp: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({
      domains: [],
      check: {
        lines: [
          `relay_domains = tcp:127.0.0.1:${port}`,
          `relay_recipient_maps = tcp:127.0.0.1:${port}`,
        ],
      },
    }),
});
