/** Postfix asks by access policy delegation. */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta, mtaDomains } from './scenario.js';

describeMta('Postfix with check_policy_service', {
  have: havePostfix,
  edges: ({ port }) => ({ policy: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) => startPostfix({ domains: mtaDomains, check: { policy: `inet:127.0.0.1:${port}` } }),
});
