/** Names that only virtual_alias_maps knows: refused by doors that are asked about what the client wrote, taken by a table. */
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { havePostfix, startPostfix } from '../support/postfix.js';
import { createRollcall } from '../support/rollcall.js';
import { fillLists, mtaConfig, mtaDomains, rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

describe.skipIf(!havePostfix)('an alias of Postfix that no list has', () => {
  const defer = deferred();

  it.each([
    ['policy', /^550 5\.1\.1 /],
    ['milter', /^550 5\.1\.1 /],
    ['socketmap', /^250 /],
    ['smtp', /^250 /],
  ] as const)(
    'through the door %s: %s',
    async (door, reply) => {
      const rollcall = createRollcall(mtaConfig({ [door]: { listen: `127.0.0.1:${await freePort()}` } }));
      defer(() => rollcall.remove());
      await fillLists(rollcall);
      await rollcall.start('edge');
      const { 'main.cf': lines = [], 'master.cf': services = [] } = await snippetOf(
        rollcall,
        'postfix',
        door,
      );
      const postfix = await startPostfix({
        domains: mtaDomains,
        check: { lines },
        mainCf: ['virtual_alias_maps = inline:{ sales@example.com=person@example.com }'],
        masterCf: ['smtp inet n - n - 50 smtpd', ...services],
      });
      defer(() => postfix.stop());
      expect(await rcpt(postfix.port, 'sales@example.com'), postfix.log()).toMatch(reply);
      expect(await rcpt(postfix.port, 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    },
    60_000,
  );
});
