/**
 * Exim's callout lines when the callout does not get as far as an answer: refused at the door, cut off, or told nothing.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim, type Exim } from '../support/exim.js';
import { createRollcall } from '../support/rollcall.js';
import { known, mtaConfig, mtaDomains, rcpt, tempfail } from './scenario.js';
import { snippetOf } from './snippets.js';

/** Replies by the word that a command begins with; `greeting` for none. `cut` ends the connection, `hang` says nothing. */
type Script = Readonly<Record<string, string>>;
const usual: Script = {
  greeting: '220 fake',
  EHLO: '250 fake',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  RSET: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
};

function serve(socket: Socket, script: Script): void {
  const say = (word: string): void => {
    const reply = script[word] ?? '500 5.5.1 what';
    if (reply === 'cut') socket.resetAndDestroy();
    else if (reply !== 'hang') socket.write(`${reply}\r\n`);
  };
  say('greeting');
  socket.setEncoding('utf8').on('error', () => undefined);
  socket.on('data', (text: string) => {
    for (const line of text.split('\r\n')) if (line !== '') say(line.slice(0, 4).toUpperCase());
  });
}

describe.skipIf(!haveExim)('Exim with a callout, and a strange answer', () => {
  const defer = deferred();
  let script = usual;
  let exim: Exim;

  beforeAll(async () => {
    const server = createServer((socket) => serve(socket, script));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    defer(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const rollcall = createRollcall(mtaConfig({ smtp: { listen: `127.0.0.1:${port}` } }));
    defer(() => rollcall.remove());
    const files = await snippetOf(rollcall, 'exim', 'smtp');
    exim = await startExim({
      domains: mtaDomains,
      main: files['exim.conf: main'] ?? [],
      acl: (files['exim.conf: acl'] ?? []).map((line) => line.replace('callout=10s', 'callout=1s')),
      routers: files['exim.conf: routers'] ?? [],
      transports: files['exim.conf: transports'] ?? [],
    });
    defer(() => exim.stop());
  }, 60_000);

  it.each([
    [{}, /^250 /],
    [{ RCPT: '550 5.1.1 No such mailbox here' }, /^550 5\.1\.1 No such mailbox here$/],
    [{ RCPT: '550-5.1.1 No such\r\n550 5.1.1 mailbox' }, /^550/],
    [{ RCPT: '451 4.4.3 list old' }, tempfail],
    [{ RCPT: '421 4.3.2 going down' }, tempfail],
    [{ RCPT: 'cut' }, tempfail],
    [{ RCPT: 'hang' }, tempfail],
    [{ RCPT: 'nonsense' }, tempfail],
    [{ MAIL: '451 4.3.0 not now' }, tempfail],
    [{ MAIL: 'cut' }, tempfail],
    [{ greeting: '421 4.3.2 too many connections' }, tempfail],
    [{ greeting: 'cut' }, tempfail],
    [{ greeting: 'hang' }, tempfail],
  ] as const)('is told %j', async (told, reply) => {
    script = { ...usual, ...told };
    expect(await rcpt(exim.port, known), exim.log()).toMatch(reply);
  });
});
