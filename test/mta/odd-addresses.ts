/**
 * What must hold behind every door whatever a stranger writes as an address: somebody listed is taken, however odd the
 * spelling, and nothing that is written makes a mail server ask about somebody else.
 *
 *     describeOddAddresses('Exim', { have: haveExim, edges: …, start: … });
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { createRollcall } from '../support/rollcall.js';
import { mtaConfig, mtaDomains, rcpt, type Mta, type MtaOptions } from './scenario.js';

/** As they stand in the list, and in RCPT. */
const listed = [
  "o'brien@example.com",
  'per%cent@example.com',
  'slash/es@example.com',
  '$dollar@example.com',
  '${primary_hostname}@example.com',
  'a=b@example.com',
  'bang!path@example.com',
  '#hash@example.com',
  'star*@example.com',
  '{brace@example.com',
  '"odd one"@example.com',
  '"at@sign"@example.com',
  '"(paren"@example.com',
  'person@example.com',
];

/** Nobody's; each is somebody's if it is misread. */
const nobodys = [
  'per@example.com',
  'odd@example.com',
  '"odd  one"@example.com',
  '$primary_hostname@example.com',
  '"$dollar"x@example.com',
  '%@example.com',
  'person%40example.com@example.com',
  '"person@example.com"@example.com',
  '"person@example.com\t"@example.com',
  '"person@example.com\tx\t127.0.0.1"@example.com',
  '"person@example.com\\\tx"@example.com',
  '"person\\n"@example.com',
  'person\\n@example.com',
  '"person,"@example.com',
  '${lc:PERSON}@example.com',
  '`person`@example.com',
  'person@example.com@example.com',
];

export interface OddOptions extends Pick<MtaOptions, 'have' | 'edges' | 'start'> {
  /** Of `listed`, those that this mail server refuses by its own rules, and with what. */
  readonly notTaken?: Readonly<Record<string, RegExp>>;
}

export function describeOddAddresses(name: string, options: OddOptions): void {
  describe.skipIf(!options.have)(`${name}, odd addresses`, () => {
    const defer = deferred();
    let mta: Mta;

    beforeAll(async () => {
      const [port, port2] = [await freePort(), await freePort()];
      const rollcall = createRollcall(mtaConfig(options.edges({ port, port2 })));
      defer(() => rollcall.remove());
      const rows = listed.map((address) => `"${address.replaceAll('"', '""')}"`);
      writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${rows.join('\n')}\nperson@stale.example\n`);
      const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
      expect(status, `${stdout}${stderr}`).toBe(0);
      await rollcall.start('edge');
      mta = await options.start({ rollcall, port, port2 });
      defer(() => mta.stop());
    }, 60_000);

    it.each(listed)('takes %s, who is listed', async (address) => {
      expect(await rcpt(mta.port, address), mta.log()).toMatch(options.notTaken?.[address] ?? /^250 /);
    });

    it.each(nobodys)('does not take %j, who is nobody', async (address) => {
      expect(await rcpt(mta.port, address), mta.log()).toMatch(/^[45]\d\d[ -]/);
    });
  });
}

export { mtaDomains };
