/** Postfix asks by milter, over TCP and over a unix socket; and what its sessions see when Rollcall goes away. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMilter } from '../edge/edges.js';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { connectSmtp, type SmtpClient } from '../support/smtp-client.js';
import { describeOddAddresses } from './odd-addresses.js';
import { describeMta, fillLists, known, mtaConfig, mtaDomains, rcpt, unknown } from './scenario.js';
import { common } from './spellings.js';

const inet = (port: number): string => `inet:127.0.0.1:${port}`;

function startAsking(milter: string, ...lines: string[]): Promise<Postfix> {
  const own = [`smtpd_milters = ${milter}`, 'milter_default_action = tempfail', ...lines];
  return startPostfix({ domains: mtaDomains, check: { lines: own } });
}

describeMta('Postfix with smtpd_milters = inet', {
  have: havePostfix,
  edges: ({ port }) => ({ milter: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) =>
    startAsking(inet(port), 'myorigin = example.com', 'mydomain = com', 'append_dot_mydomain = yes'),
  more: (ask) => {
    it('asks about a name without a domain as Postfix completes it', async () => {
      expect(await ask('person')).toMatch(/^250 /);
      expect(await ask('nobody')).toMatch(/^550 5\.1\.1 /);
      expect(await ask('postmaster')).toMatch(/^250 /);
    });

    it('asks about the address as Postfix reads it', async () => {
      for (const spelling of [...common('person'), 'person@example'])
        expect(await ask(spelling), spelling).toMatch(/^250 /);
      for (const spelling of [...common('nobody'), 'nobody@example'])
        expect(await ask(spelling), spelling).toMatch(/^550 5\.1\.1 /);
    });

    it('asks about the mailbox behind a source route', async () => {
      expect(await ask('@relay.example,@other.example:person@example.com')).toMatch(/^250 /);
      expect(await ask('@relay.example:nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    });
  },
});

// In a folder of the group postfix that gives its group to what is made in it: the socket has mode 0660.
const folder = havePostfix ? mkdtempSync(join(tmpdir(), 'rollcall-milter-')) : '';
if (havePostfix) {
  execFileSync('chgrp', ['postfix', folder]);
  chmodSync(folder, 0o2755);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

describeMta('Postfix with smtpd_milters = unix', {
  have: havePostfix,
  edges: () => ({ milter: { listen: `unix:${join(folder, 'milter.sock')}` } }),
  start: () => startAsking(`unix:${join(folder, 'milter.sock')}`),
});

describeMta('Postfix with milter_protocol = 2, of Sendmail 8.12', {
  have: havePostfix,
  edges: ({ port }) => ({ milter: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) => startAsking(inet(port), 'milter_protocol = 2'),
});

describeOddAddresses('Postfix with the door milter', {
  have: havePostfix,
  edges: ({ port }) => ({ milter: { listen: `127.0.0.1:${port}` } }),
  start: ({ port }) => startAsking(inet(port)),
  // Postfix takes these for routes (swap_bangpath, allow_percent_hack, allow_untrusted_routing) and asks nobody.
  notTaken: {
    'per%cent@example.com': /^554 5\.7\.1 /,
    'bang!path@example.com': /^554 5\.7\.1 /,
    '"at@sign"@example.com': /^554 5\.7\.1 /,
  },
});

describe.skipIf(!havePostfix)('a session of Postfix with a milter', () => {
  const defer = deferred();
  let rollcall: Rollcall;
  let edge: RunningProcess;
  let postfix: Postfix;
  let milterPort: number;

  beforeAll(async () => {
    milterPort = await freePort();
    rollcall = createRollcall(
      mtaConfig({ milter: { listen: `127.0.0.1:${milterPort}`, drainTimeout: '5s' } }),
    );
    defer(() => rollcall.remove());
    await fillLists(rollcall);
    edge = await rollcall.start('edge');
    postfix = await startAsking(inet(milterPort), 'milter_command_timeout = 2s');
    defer(() => postfix.stop());
  }, 60_000);

  async function greeted(): Promise<SmtpClient> {
    const client = await connectSmtp(postfix.port);
    expect(await client.ask('EHLO client.elsewhere.test')).toMatch(/^250/);
    return client;
  }
  const mail = 'MAIL FROM:<somebody@elsewhere.test>';
  const to = (recipient: string): string => `RCPT TO:<${recipient}>`;

  it('takes messages one after the other, each without the unknown among its recipients', async () => {
    const client = await greeted();
    for (let message = 0; message < 3; message += 1) {
      const many = Array.from({ length: 50 }, (_, at) => to(at % 2 === 0 ? known : unknown));
      const replies = await client.pipeline([mail, ...many, 'DATA']);
      expect(replies.filter((reply) => reply.startsWith('550 5.1.1 '))).toHaveLength(25);
      expect(replies.at(-1), postfix.log()).toMatch(/^354 /);
      expect(await client.ask('Subject: x\r\n\r\nbody\r\n.')).toMatch(/^250 2\.0\.0 /);
      expect(await client.pipeline([mail, 'RSET'])).toEqual(['250 2.1.0 Ok', '250 2.0.0 Ok']);
    }
    client.close();
  });

  it('ends its transaction when Rollcall is told to stop, and is deferred after it', async () => {
    const busy = await greeted();
    const idle = await greeted();
    expect(await busy.ask(mail)).toMatch(/^250 /);
    expect(await busy.ask(to(known))).toMatch(/^250 /);
    const stopped = edge.stop();
    await eventually(
      () => connects(milterPort),
      (does) => !does,
    );
    expect(await idle.ask(mail).then(() => idle.ask(to(known))), postfix.log()).toMatch(
      /^(451 4\.7\.1|503) /,
    );
    expect(await busy.ask(to(unknown)), postfix.log()).toMatch(/^550 5\.1\.1 /);
    expect(await busy.ask('DATA')).toMatch(/^354 /);
    expect(await busy.ask('Subject: x\r\n\r\nbody\r\n.')).toMatch(/^250 2\.0\.0 /);
    await stopped;
    // The answer to MAIL is Postfix's own, as it waits for none of ours.
    expect(await busy.ask(mail)).toMatch(/^(250|451) /);
    for (const recipient of [known, unknown]) expect(await busy.ask(to(recipient))).toMatch(/^451 4\.7\.1 /);
    edge = await rollcall.start('edge');
    // Postfix connects once a session: this one stays without
    expect(await busy.ask(mail).then(() => busy.ask(to(known)))).toMatch(/^(451|503) /);
    busy.close();
    idle.close();
    const next = await greeted();
    expect(await next.ask(mail)).toMatch(/^250 /);
    expect(await next.ask(to(known))).toMatch(/^250 /);
    next.close();
  }, 30_000);

  it('is deferred when Rollcall is killed, or hangs', async () => {
    const hung = await greeted();
    expect(await hung.ask(mail)).toMatch(/^250 /);
    process.kill(edge.pid, 'SIGSTOP');
    expect(await hung.ask(to(known)), postfix.log()).toMatch(/^451 4\.7\.1 /);
    process.kill(edge.pid, 'SIGCONT');
    hung.close();
    const cut = await greeted();
    expect(await cut.ask(mail)).toMatch(/^250 /);
    await edge.kill();
    expect(await cut.ask(to(unknown)), postfix.log()).toMatch(/^451 4\.7\.1 /);
    expect(await cut.ask(to(known))).toMatch(/^451 4\.7\.1 /);
    cut.close();
    edge = await rollcall.start('edge');
  }, 30_000);
});

describe.skipIf(!havePostfix)('Postfix with a milter that has no room', () => {
  it('defers the session', async () => {
    const { address } = await runMilter({ maxConnections: 1 });
    const port = 'port' in address ? address.port : 0;
    const postfix = await startAsking(inet(port));
    try {
      // not before the session that saw whether Postfix is there has left its place
      const { client: first } = await eventually(
        () => begin(postfix.port),
        ({ reply }) => reply.startsWith('250 '),
      );
      expect(await rcpt(postfix.port, known), postfix.log()).toMatch(/^451 4\.7\.1 /);
      first.close();
      await eventually(
        () => rcpt(postfix.port, known),
        (reply) => reply.startsWith('250 '),
      );
    } finally {
      await postfix.stop();
    }
  }, 60_000);
});

/** A session that has got as far as MAIL; it is over when that was not taken. */
async function begin(port: number): Promise<{ readonly client: SmtpClient; readonly reply: string }> {
  const client = await connectSmtp(port);
  expect(await client.ask('EHLO client.elsewhere.test')).toMatch(/^250/);
  const reply = await client.ask('MAIL FROM:<somebody@elsewhere.test>');
  if (!reply.startsWith('250 ')) client.close();
  return { client, reply };
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const refused = await once(socket, 'connect').then(
    () => false,
    () => true,
  );
  socket.destroy();
  return !refused;
}
