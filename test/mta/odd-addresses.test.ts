/** Odd addresses through each mail server that builds its question from words of its own configuration. */
import { haveExim, startExim } from '../support/exim.js';
import { haveHaraka, startHaraka } from '../support/haraka.js';
import { haveSendmail, startSendmail } from '../support/sendmail.js';
import { describeOddAddresses } from './odd-addresses.js';
import { mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

for (const door of ['readsocket', 'smtp']) {
  describeOddAddresses(`Exim with the door ${door}`, {
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
  });
}

describeOddAddresses('Sendmail with the door socketmap', {
  have: haveSendmail,
  edges: ({ port }) => ({ socketmap: { listen: `127.0.0.1:${port}` } }),
  start: async ({ rollcall }) => {
    const { 'sendmail.mc': lines = [] } = await snippetOf(rollcall, 'sendmail', 'socketmap');
    const rulesets = lines.indexOf('LOCAL_RULESETS');
    return startSendmail({
      domains: mtaDomains,
      localConfig: lines.slice(lines.indexOf('LOCAL_CONFIG') + 1, rulesets),
      localRulesets: lines.slice(rulesets + 1),
    });
  },
});

describeOddAddresses('Haraka with the plugin', {
  have: haveHaraka,
  edges: ({ port }) => ({ http: { listen: `127.0.0.1:${port}` } }),
  start: async ({ rollcall }) => {
    const files = await snippetOf(rollcall, 'haraka', 'http');
    return startHaraka({
      domains: mtaDomains,
      plugins: [...(files['config/plugins'] ?? []), 'rcpt_to.in_host_list'],
      config: { 'rollcall.ini': files['config/rollcall.ini'] ?? [] },
    });
  },
});
