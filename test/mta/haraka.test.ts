/** Haraka asks through our plugin, and answers with Rollcall's code, status and text. */
import { haveHaraka, startHaraka } from '../support/haraka.js';
import { describeMta, mtaDomains } from './scenario.js';
import { snippetOf } from './snippets.js';

describeMta('Haraka with the plugin', {
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
  refusal: /^550 5\.1\.1 No such mailbox here \(ref \w{8}\)$/,
});
