/** Postfix asks by milter, over TCP and over a unix socket. */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta, mtaDomains } from './scenario.js';

describeMta('Postfix with smtpd_milters = inet', {
  have: havePostfix,
  edges: ({ port }) => ({ milter: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({
      domains: mtaDomains,
      check: { lines: [`smtpd_milters = inet:127.0.0.1:${port}`, 'milter_default_action = tempfail'] },
    }),
});
