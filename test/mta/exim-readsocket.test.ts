/**
 * Exim's `${readsocket}` lines when the answer is not what it should be: whatever comes, nobody is accepted and nobody is
 * refused but by a whole 2xx or 5xx line.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim, type Exim } from '../support/exim.js';
import { createRollcall } from '../support/rollcall.js';
import { known, mtaConfig, mtaDomains, rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

const later = '451 4.4.3 Recipients cannot be checked now';

describe.skipIf(!haveExim)('Exim with readsocket, and a strange answer', () => {
  const defer = deferred();
  const asked: string[] = [];
  let answer: (socket: Socket) => void = () => undefined;
  let exim: Exim;

  beforeAll(async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.setEncoding('utf8').on('error', () => undefined);
      socket.once('data', (line: string) => {
        asked.push(line);
        answer(socket);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    defer(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const rollcall = createRollcall(mtaConfig({ readsocket: { listen: `127.0.0.1:${port}` } }));
    defer(() => rollcall.remove());
    const files = await snippetOf(rollcall, 'exim', 'readsocket');
    const acl = (files['exim.conf: acl'] ?? []).map((line) => line.replace('{10s}', '{1s}'));
    exim = await startExim({ domains: mtaDomains, main: files['exim.conf: main'] ?? [], acl });
    defer(() => exim.stop());
  }, 60_000);

  it.each([
    ['250 2.1.5 Recipient ok\n', /^250 /],
    ['250\n', /^250 /],
    ['550 5.1.1 No such mailbox here\n', /^550 5\.1\.1 No such mailbox here$/],
    ['553 5.1.3 Bad syntax\n', /^553 5\.1\.3 Bad syntax$/],
    ['451 4.4.3 Recipient list out of date\n', /^451 4\.4\.3 Recipient list out of date$/],
    ['', later],
    ['\n', later],
    ['2', later],
    ['25', later],
    ['2500 2.1.5 ok\n', later],
    ['5', later],
    ['55', later],
    ['550', later],
    ['5500 5.1.1 no\n', later],
    ['DUNNO not a domain served here\n', later],
    ['ok\n', later],
    ['yes\n', later],
    ['HTTP/1.1 200 OK\r\n\r\n', later],
    ['${lookup{550 5.1.1 x}}\n', later],
    ['451', later],
    ['x250 2.1.5 ok\n', later],
    ['x\n250 2.1.5 ok\n', later],
    ['x\n550 5.1.1 no\n', later],
  ] as const)('is told %j', async (said, reply) => {
    answer = (socket) => socket.end(said);
    const got = await rcpt(exim.port, known);
    if (typeof reply === 'string') expect(got, exim.log()).toBe(reply);
    else expect(got, exim.log()).toMatch(reply);
  });

  it('is told nothing for longer than its patience', async () => {
    answer = () => undefined;
    expect(await rcpt(exim.port, known), exim.log()).toBe(later);
  });

  it('is cut off', async () => {
    answer = (socket) => socket.resetAndDestroy();
    expect(await rcpt(exim.port, known), exim.log()).toBe(later);
  });

  it('asks with recipient, sender and client, each where it belongs', async () => {
    answer = (socket) => socket.end('250 2.1.5 ok\n');
    asked.length = 0;
    await rcpt(exim.port, '"odd one"@example.com', '"a sender"@elsewhere.test');
    await rcpt(exim.port, known, '');
    expect(asked).toEqual([
      '"odd one"@example.com\t"a sender"@elsewhere.test\t127.0.0.1\n',
      'person@example.com\t\t127.0.0.1\n',
    ]);
  });
});
