/** Postfix with the very lines that `rollcall snippet postfix` prints. */
import { havePostfix, startPostfix } from '../support/postfix.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

const ofTable = /^550 5\.1\.1 .*: User unknown in relay recipient table$/;

for (const { door, refusal } of [
  { door: 'policy' },
  { door: 'smtp', refusal: /^550 5\.1\.1 .*: No such mailbox here$/ },
  { door: 'socketmap', refusal: ofTable },
  { door: 'tcp', refusal: ofTable },
  { door: 'milter' },
]) {
  describeMta(`Postfix with the snippet for the door ${door}`, {
    have: havePostfix,
    edges: ({ port }) => ({ [door]: { listen: `127.0.0.1:${port}` } }),
    start: async ({ rollcall }) => {
      const { 'main.cf': lines = [] } = await snippetOf(rollcall, 'postfix', door);
      return startPostfix({ domains: mtaDomains, check: { lines } });
    },
    ...(refusal !== undefined && { refusal }),
  });
}

describeMta('Postfix with the snippet for the door proxy', {
  have: havePostfix,
  edges: ({ port, port2 }) => ({
    proxy: { listen: `127.0.0.1:${port}`, nextHops: [`127.0.0.1:${port2}`], clientInfo: 'xforward' },
  }),
  start: async ({ rollcall }) => {
    const { 'master.cf': lines = [] } = await snippetOf(rollcall, 'postfix', 'proxy');
    return startPostfix({ domains: mtaDomains, check: { lines: [] }, masterCf: lines });
  },
});
