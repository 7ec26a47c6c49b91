/** Postfix asks by socketmap: who may be written to (`recipients`), and what it relays for (`domains`). */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { tableLines, tableTests } from './postfix-tables.js';
import { describeMta } from './scenario.js';

describeMta('Postfix with socketmap', {
  have: havePostfix,
  edges: ({ port }) => ({ socketmap: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({
      domains: [],
      check: { lines: tableLines((map) => `socketmap:inet:127.0.0.1:${port}:${map}`) },
    }),
  more: tableTests,
});
