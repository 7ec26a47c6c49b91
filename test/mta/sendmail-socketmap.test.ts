/**
 * Sendmail's socketmap lines when the answer is not what it should be. One answer is missing here: Sendmail takes `PERM` for
 * "not found", so Rollcall never gives it.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { createRollcall } from '../support/rollcall.js';
import { haveSendmail, startSendmail, type Sendmail } from '../support/sendmail.js';
import { fillLists, known, mtaConfig, mtaDomains, rcpt, tempfail, unknown } from './scenario.js';
import { snippetOf } from './snippets.js';

/** With what `rollcall snippet sendmail` prints for a door on this port, changed as asked. */
async function startAsking(
  port: number,
  end: (fn: () => Promise<void>) => void,
  change = (line: string): string => line,
): Promise<Sendmail> {
  const rollcall = createRollcall(mtaConfig({ socketmap: { listen: `127.0.0.1:${port}` } }));
  end(() => rollcall.remove());
  const { 'sendmail.mc': printed = [] } = await snippetOf(rollcall, 'sendmail', 'socketmap');
  const lines = printed.map(change);
  const rulesets = lines.indexOf('LOCAL_RULESETS');
  const sendmail = await startSendmail({
    domains: mtaDomains,
    localConfig: lines.slice(lines.indexOf('LOCAL_CONFIG') + 1, rulesets),
    localRulesets: lines.slice(rulesets + 1),
  });
  end(() => sendmail.stop());
  return sendmail;
}

describe.skipIf(!haveSendmail)('Sendmail with socketmap', () => {
  const defer = deferred();
  const asked: string[] = [];
  let answer: (socket: Socket) => void = () => undefined;
  let sendmail: Sendmail;

  beforeAll(async () => {
    const server = createServer((socket) => {
      socket.setEncoding('utf8').on('error', () => undefined);
      socket.on('data', (request: string) => {
        asked.push(request);
        answer(socket);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    defer(() => void server.close());
    const { port } = server.address() as AddressInfo;
    sendmail = await startAsking(port, defer);
  }, 60_000);

  it.each([
    ['8:OK known,', /^250 /],
    ['9:NOTFOUND ,', /^550 5\.1\.1 /],
    ['13:TEMP list old,', tempfail],
    ['9:TIMEOUT x,', tempfail],
    ['nonsense', tempfail],
    ['451 4.4.3 later\r\n', tempfail],
    [':OK known,', tempfail],
    ['99999999999:OK known,', tempfail],
    ['8:OK known;', tempfail],
  ] as const)('is told %j', async (said, reply) => {
    answer = (socket) => socket.end(said);
    expect(await rcpt(sendmail.port, known), sendmail.log()).toMatch(reply);
  });

  it('is cut off', async () => {
    answer = (socket) => socket.resetAndDestroy();
    expect(await rcpt(sendmail.port, known), sendmail.log()).toMatch(tempfail);
  });

  it('asks in the words of the client: quotes and case are kept', async () => {
    answer = (socket) => socket.end('8:OK known,');
    asked.length = 0;
    await rcpt(sendmail.port, '"Odd One"@example.com');
    expect(asked).toEqual(['32:recipients "Odd One"@example.com,']);
  });
});

describe.skipIf(!haveSendmail)('Sendmail with a mistyped map', () => {
  const defer = deferred();

  it('refuses nobody', async () => {
    const port = await freePort();
    const rollcall = createRollcall(mtaConfig({ socketmap: { listen: `127.0.0.1:${port}` } }));
    defer(() => rollcall.remove());
    await fillLists(rollcall);
    await rollcall.start('edge');
    const sendmail = await startAsking(port, defer, (line) => line.replace(/(?<=^K|\()recipients/, 'people'));
    for (const recipient of [known, unknown])
      expect(await rcpt(sendmail.port, recipient), sendmail.log()).toMatch(tempfail);
  }, 60_000);
});
