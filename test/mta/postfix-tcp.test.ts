/** Postfix asks by tcp_table, for recipients and domains; while nobody answers, it waits about 9 s for each of them. */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { tableLines, tableTests } from './postfix-tables.js';
import { describeMta } from './scenario.js';

describeMta('Postfix with tcp', {
  have: havePostfix,
  edges: ({ port }) => ({ tcp: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startPostfix({ domains: [], check: { lines: tableLines(() => `tcp:127.0.0.1:${port}`) } }),
  more: tableTests,
});
