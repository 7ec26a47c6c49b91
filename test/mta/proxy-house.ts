/** What stands around a proxy under test: the product with this one door, a Postfix behind it, a client before it. */
import { startPostfix, type Postfix } from '../support/postfix.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { connectSmtp } from '../support/smtp-client.js';
import { fillLists, mtaConfig, mtaDomains } from './scenario.js';

/** The lists of the scenario, and an edge with the section `proxy`. */
export async function startProxy(
  proxy: Readonly<Record<string, unknown>>,
): Promise<{ readonly rollcall: Rollcall; readonly edge: RunningProcess }> {
  const rollcall = createRollcall(mtaConfig({ proxy }));
  await fillLists(rollcall);
  return { rollcall, edge: await rollcall.start('edge') };
}

/** Takes what the proxy hands on; throws it away once it is in the queue. */
export function startBehind(port: number, mainCf: readonly string[] = []): Promise<Postfix> {
  return startPostfix({
    port,
    domains: mtaDomains,
    check: { lines: [] },
    mainCf: ['smtpd_authorized_xforward_hosts = 127.0.0.0/8', ...mainCf],
  });
}

/** The replies to MAIL, each RCPT, DATA, and the message if it came to that. `from`: of the client, in 127.0.0.0/8. */
export async function deliver(port: number, recipients: readonly string[], from?: string): Promise<string[]> {
  const client = await connectSmtp(port, '127.0.0.1', from);
  await client.ask('EHLO client.elsewhere.test');
  const replies = [await client.ask('MAIL FROM:<somebody@elsewhere.test>')];
  for (const recipient of recipients) replies.push(await client.ask(`RCPT TO:<${recipient}>`));
  const go = await client.ask('DATA');
  replies.push(go);
  if (go.startsWith('354')) replies.push(await client.ask('Subject: a message\r\n\r\nHello.\r\n..\r\n.'));
  await client.quit();
  return replies;
}
