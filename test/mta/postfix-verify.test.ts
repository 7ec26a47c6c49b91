/** Postfix's address verification with the lines of `rollcall snippet`: what main.cf says of mail must not let probes past. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { startAcceptAll } from '../support/accept-all.js';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { createRollcall } from '../support/rollcall.js';
import { mtaConfig, mtaDomains, rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

const later = /^450 4\.\d\.\d .*: unverified address: Mailbox unknown here, or it cannot be checked now$/;

describe.skipIf(!havePostfix)('Postfix verifying while Rollcall', () => {
  const defer = deferred();
  let fallback: number;

  beforeAll(async () => {
    const everything = await startAcceptAll();
    defer(() => everything.close());
    fallback = everything.port;
  });

  /** Rollcall is not started: only its lines are used. */
  async function postfixAsking(port: number): Promise<Postfix> {
    const rollcall = createRollcall(mtaConfig({ smtp: { listen: `127.0.0.1:${port}` } }));
    defer(() => rollcall.remove());
    const { 'main.cf': lines = [], 'master.cf': services = [] } = await snippetOf(
      rollcall,
      'postfix',
      'smtp',
    );
    const postfix = await startPostfix({
      domains: mtaDomains,
      check: { lines },
      mainCf: [`smtp_fallback_relay = [127.0.0.1]:${fallback}`],
      masterCf: ['smtp inet n - n - 50 smtpd', ...services],
    });
    defer(() => postfix.stop());
    return postfix;
  }

  it('is down: defers, whatever relay there is for mail', async () => {
    const postfix = await postfixAsking(await freePort());
    const reply = await rcpt(postfix.port, 'nobody@example.com');
    expect(reply, postfix.log()).toMatch(later);
  }, 60_000);

  it('hangs: defers, and does not say for sure that there is no such mailbox', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    defer(() => void silent.close());
    const postfix = await postfixAsking((silent.address() as AddressInfo).port);
    const reply = await rcpt(postfix.port, 'nobody@example.com');
    expect(reply, postfix.log()).toMatch(later);
  }, 60_000);
});
