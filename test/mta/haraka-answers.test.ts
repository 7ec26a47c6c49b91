/**
 * The Haraka plugin when the answer is not what it should be, and its settings: nobody is refused or accepted on a doubt, and
 * Haraka lives on.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { haveHaraka, startHaraka, type Haraka } from '../support/haraka.js';
import { connectSmtp } from '../support/smtp-client.js';
import { known, mtaDomains, rcpt } from './scenario.js';

const plugins = ['rcpt_to.in_host_list', 'haraka-plugin-rollcall'];
const later = '451 4.4.3 Recipients cannot be checked now, try again later';
const accepted = { action: 'accept', code: 250, status: '2.1.5', text: 'Recipient ok', reason: 'known' };
const refused = { action: 'reject', code: 550, status: '5.1.1', text: 'No such mailbox', reason: 'unknown' };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const say =
  (body: unknown, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

describe.skipIf(!haveHaraka)('the Haraka plugin', () => {
  const defer = deferred();
  const asked: string[] = [];
  let connections = 0;
  let answer: Answer = say(accepted);
  let url: string;

  async function start(config: readonly string[], domains: readonly string[] = mtaDomains): Promise<Haraka> {
    const haraka = await startHaraka({ domains, plugins, config: { 'rollcall.ini': config } });
    defer(() => haraka.stop());
    return haraka;
  }

  beforeAll(async () => {
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      answer(request, response);
    });
    server.on('connection', () => (connections += 1));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    defer(() => {
      server.close();
      server.closeAllConnections();
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  describe('is told something strange', () => {
    let haraka: Haraka;
    beforeAll(async () => {
      haraka = await start([`url=${url}`, 'timeout=0.5']);
    });

    it.each<[string, Answer, string | RegExp]>([
      ['yes', say(accepted), /^250 /],
      ['no', say(refused), '550 5.1.1 No such mailbox'],
      [
        'no, with other codes',
        say({ ...refused, code: 553, status: '5.1.3', text: 'Syntax' }),
        '553 5.1.3 Syntax',
      ],
      [
        'later',
        say({ action: 'defer', code: 450, status: '4.2.1', text: 'Not now', reason: 'removed' }),
        '450 4.2.1 Not now',
      ],
      ['a text of two lines', say({ ...refused, text: 'No\r\n250 such' }), '550 5.1.1 No 250 such'],
      ['not one of our domains: host_list decides', say({ ...refused, reason: 'not-our-domain' }), /^250 /],
      ['no with a 2xx', say({ ...refused, code: 250 }), later],
      ['no with a 4.x.x', say({ ...refused, status: '4.1.1' }), later],
      ['no without a text', say({ ...refused, text: undefined }), later],
      ['no without a code', say({ ...refused, code: undefined }), later],
      ['a code that is text', say({ ...refused, code: '550' }), later],
      ['an action there is not', say({ ...accepted, action: 'permit' }), later],
      ['an action of every object', say({ ...accepted, action: 'constructor' }), later],
      ['null', say('null'), later],
      ['nothing', say(''), later],
      ['half of it', say('{"action":"acc'), later],
      ['a page', say('<html>ok</html>'), later],
      ['yes, with 201', say(accepted, 201), later],
      ['no, with 404', say(refused, 404), later],
      ['an error', say({ error: {} }, 500), later],
      ['elsewhere', (_, response) => response.writeHead(302, { location: '/x' }).end(), later],
      ['too much', say(JSON.stringify({ ...accepted, more: 'x'.repeat(100_000) })), later],
      ['nothing in time', () => undefined, later],
      ['half of it in time', (_, response) => void response.writeHead(200).write('{'), later],
      ['a cut', (request) => request.socket.resetAndDestroy(), later],
      [
        'half of it and a cut',
        (request, response) => {
          response.writeHead(200, { 'content-length': 100 }).write('{"action":');
          setImmediate(() => request.socket.destroy());
        },
        later,
      ],
    ])('%s', async (_, told, reply) => {
      answer = told;
      const got = await rcpt(haraka.port, known);
      if (typeof reply === 'string') expect(got, haraka.log()).toBe(reply);
      else expect(got, haraka.log()).toMatch(reply);
    });

    it('asks with recipient, sender and client', async () => {
      answer = say(accepted);
      asked.length = 0;
      await rcpt(haraka.port, 'Person+News@Example.com', 'somebody@elsewhere.test');
      await rcpt(haraka.port, '"odd one"@example.com', '');
      await rcpt(haraka.port, 'a&b=c?%d#@example.com', '"a sender"@elsewhere.test');
      expect(asked.map((path) => Object.fromEntries(new URL(path, url).searchParams))).toEqual([
        { recipient: 'Person+News@Example.com', sender: 'somebody@elsewhere.test', client: '127.0.0.1' },
        { recipient: '"odd one"@example.com', sender: '', client: '127.0.0.1' },
        {
          recipient: 'a&b=c?%d#@example.com',
          sender: '"a sender"@elsewhere.test',
          client: '127.0.0.1',
        },
      ]);
    });

    it('keeps its connection, and asks again when that was closed as the question left', async () => {
      answer = say(accepted);
      const client = await connectSmtp(haraka.port);
      defer(() => client.close());
      await client.ask('EHLO client.elsewhere.test');
      await client.ask('MAIL FROM:<somebody@elsewhere.test>');
      await client.ask(`RCPT TO:<${known}>`);
      const before = connections;
      for (let count = 0; count < 10; count += 1)
        expect(await client.ask(`RCPT TO:<${known}>`)).toMatch(/^250 /);
      expect(connections).toBe(before);
      let cuts = 0;
      answer = (request, response) => {
        cuts += 1;
        if (cuts === 1) request.socket.resetAndDestroy();
        else say(accepted)(request, response);
      };
      expect(await client.ask(`RCPT TO:<${known}>`)).toMatch(/^250 /);
      expect(cuts).toBe(2);
    });
  });

  it('leaves it to host_list whether a known recipient is relayed for', async () => {
    answer = say(accepted);
    const haraka = await start([`url=${url}`], ['other.example']);
    expect(await rcpt(haraka.port, known)).toBe(`550 I cannot deliver mail for <${known}>`);
  });

  it('accepts a known recipient by itself with known=ok', async () => {
    answer = say(accepted);
    const haraka = await start([`url=${url}`, 'known=ok'], ['other.example']);
    expect(await rcpt(haraka.port, known)).toMatch(/^250 /);
  });

  it('reads its settings again when they change', async () => {
    answer = say(accepted);
    const haraka = await start(['url=http://127.0.0.1:1']);
    expect(await rcpt(haraka.port, known)).toBe(later);
    writeFileSync(join(haraka.folder, 'config/rollcall.ini'), `url=${url}\n`);
    await eventually(
      () => rcpt(haraka.port, known),
      (reply) => reply.startsWith('250 '),
    );
  });

  it.each([['url=https://127.0.0.1:1'], ['url=127.0.0.1'], ['url=']])(
    'defers everybody with %s',
    async (line) => {
      const haraka = await start([line]);
      expect(await rcpt(haraka.port, known)).toBe(later);
      expect(haraka.log()).toContain('rollcall.ini: url=');
    },
  );
});
