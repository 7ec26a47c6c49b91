/**
 * Sendmail's lines and the shape of addresses: a domain below another, subdomains that nobody serves, and routes by way of
 * Sendmail's own name. Whatever Sendmail relays for is asked about, under the address that the mail would go to.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import { haveSendmail, startSendmail, type Sendmail } from '../support/sendmail.js';
import { rcpt, tempfail } from './scenario.js';
import { snippetOf } from './snippets.js';

const people = ['person@example.com', 'child@sub.example.com', 'deep@x.example.com'];

async function house(door: string, includeSubdomains: boolean): Promise<Rollcall> {
  const rollcall = createRollcall({
    domains: {
      'example.com': { mode: 'enforce', sources: ['staff'], includeSubdomains },
      'sub.example.com': { mode: 'enforce', sources: ['staff'] },
    },
    sources: { staff: { kind: 'csv', path: 'staff.csv' } },
    edges: { [door]: { listen: `127.0.0.1:${await freePort()}` } },
  });
  mkdirSync(rollcall.folder, { recursive: true });
  writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${people.join('\n')}\n`);
  const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
  expect(status, `${stdout}${stderr}`).toBe(0);
  await rollcall.start('edge');
  return rollcall;
}

async function sendmailWith(rollcall: Rollcall, door: string): Promise<Sendmail> {
  const { 'sendmail.mc': lines = [] } = await snippetOf(rollcall, 'sendmail', door);
  const config = lines.indexOf('LOCAL_CONFIG');
  const rulesets = lines.indexOf('LOCAL_RULESETS');
  return startSendmail({
    domains: ['example.com', 'sub.example.com'],
    ...(config < 0
      ? { mc: lines }
      : { localConfig: lines.slice(config + 1, rulesets), localRulesets: lines.slice(rulesets + 1) }),
  });
}

/** Sendmail relays anything for 127.0.0.1, and only for that. */
const askAsStranger = ({ port }: Sendmail, recipient: string) =>
  rcpt(port, recipient, undefined, '127.0.0.2');

/** All of these lead to nobody@example.com, by way of the name of this Sendmail. */
const routes = [
  'nobody%example.com@mx.edge.test',
  'mx.edge.test!example.com!nobody',
  '@mx.edge.test:nobody@example.com',
  'nobody%example.com%mx.edge.test@mx.edge.test',
  '"nobody%example.com"@mx.edge.test',
  'example.com!nobody',
  'nobody%example.com',
];

describe.skipIf(!haveSendmail).each([true, false])(
  'Sendmail with socketmap and a domain below another, includeSubdomains %s',
  (includeSubdomains) => {
    const defer = deferred();
    let sendmail: Sendmail;
    const ask = (recipient: string) => askAsStranger(sendmail, recipient);

    beforeAll(async () => {
      const rollcall = await house('socketmap', includeSubdomains);
      defer(() => rollcall.remove());
      sendmail = await sendmailWith(rollcall, 'socketmap');
      defer(() => sendmail.stop());
    }, 60_000);

    it('asks about each domain once, and under its own name', async () => {
      expect(await ask('person@example.com'), sendmail.log()).toMatch(/^250 /);
      expect(await ask('child@sub.example.com'), sendmail.log()).toMatch(/^250 /);
      for (const nobody of ['nobody@example.com', 'nobody@sub.example.com', 'person@sub.example.com'])
        expect(await ask(nobody), sendmail.log()).toMatch(/^550 5\.1\.1 /);
    });

    it('takes nobody in a subdomain unasked', async () => {
      const served = includeSubdomains;
      expect(await ask('deep@x.example.com'), sendmail.log()).toMatch(served ? /^250 / : tempfail);
      expect(await ask('nobody@foo.example.com'), sendmail.log()).toMatch(
        served ? /^550 5\.1\.1 / : tempfail,
      );
      expect(await ask('nobody@foo.sub.example.com'), sendmail.log()).toMatch(served ? /^550 / : tempfail);
    });

    it.each(routes)('takes nobody by the route %s', async (route) => {
      expect(await ask(route), sendmail.log()).toMatch(/^[45]\d\d /);
    });

    it('takes somebody who exists by such a route', async () => {
      expect(await ask('person%example.com@mx.edge.test'), sendmail.log()).toMatch(/^250 /);
    });

    it('refuses a route through more names than anybody writes', async () => {
      expect(await ask(`nobody${'%mx.edge.test'.repeat(12)}%example.com@mx.edge.test`)).toMatch(/^[45]/);
    });
  },
);

describe.skipIf(!haveSendmail)('Sendmail with the milter and subdomains that nobody serves', () => {
  const defer = deferred();

  it('does not relay for them', async () => {
    const rollcall = await house('milter', false);
    defer(() => rollcall.remove());
    const sendmail = await sendmailWith(rollcall, 'milter');
    defer(() => sendmail.stop());
    for (const known of ['person@example.com', 'child@sub.example.com'])
      expect(await askAsStranger(sendmail, known), sendmail.log()).toMatch(/^250 /);
    for (const nobody of ['nobody@example.com', 'nobody@sub.example.com'])
      expect(await askAsStranger(sendmail, nobody), sendmail.log()).toMatch(/^550 5\.1\.1 /);
    expect(await askAsStranger(sendmail, 'x@foo.example.com'), sendmail.log()).toMatch(/^550 5\.7\.1 /);
  }, 60_000);
});
