/** The milter edge under everything that is not a quiet dialogue: late verdicts, silence, floods, garbage, drain. */
import { randomBytes } from 'node:crypto';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import type { ListenAddress } from '../../src/edge/bind.js';
import { verdictFor, recorder } from './fake-decide.js';
import { runMilter } from './edges.js';
import { encode, fullOffer, openMilter, type MilterClient } from './milter-client.js';

const refused = 'y 550 5.1.1 No such mailbox here (ref K3QX7A)';

async function open(address: ListenAddress): Promise<MilterClient> {
  const client = await openMilter(address);
  client.send(fullOffer);
  expect(await client.answer()).toMatch(/^O 6 /);
  return client;
}

async function stillServes(address: ListenAddress): Promise<void> {
  const client = await open(address);
  client.send('R <unknown@example.com>');
  expect(await client.answer()).toBe(refused);
  client.close();
}

describe('what is asked', () => {
  it('has the path, the sender and the client, each of its own session and transaction', async () => {
    const record = recorder();
    const { address } = await runMilter(record);
    const client = await open(address);
    client.send('R <known@example.com>', 'C c.example | 4 | 1 | 192.0.2.7', 'M <s@c.example> | SIZE=1');
    client.send(
      'R <"known"@example.com>',
      'E',
      'M <>',
      'R <grüße@example.com>',
      'A',
      'R <known@example.com>',
    );
    client.send(
      'K',
      'C d.example | 6 | 1 | IPv6:2001:db8::1',
      'M <grüße@d.example>',
      'R <@r:known@example.com>',
      'K',
      'R <known@example.com>',
      'Q',
    );
    await client.rest();
    const known = { recipient: 'known@example.com', form: 'smtp', edge: 'milter' };
    const one = '192.0.2.7';
    expect(record.asked).toEqual([
      { ...known, sender: undefined, client: undefined },
      { ...known, recipient: '"known"@example.com', sender: 's@c.example', client: one },
      { ...known, recipient: 'grüße@example.com', sender: '', client: one },
      { ...known, sender: undefined, client: one },
      { ...known, recipient: '@r:known@example.com', sender: 'grüße@d.example', client: '2001:db8::1' },
      { ...known, sender: undefined, client: undefined },
    ]);
    expect(record.told.map(({ question }) => question)).toEqual(record.asked);
  });

  it('is the completed address where one was typed without a domain', async () => {
    const record = recorder();
    const { address } = await runMilter(record);
    const client = await open(address);
    client.send('D R | {rcpt_addr} | a b@example.com', 'R <"a b">', 'R <nobody>', 'R <PostMaster>', 'Q');
    await client.rest();
    expect(record.asked.map(({ recipient, form }) => [recipient, form])).toEqual([
      ['a b@example.com', 'internal'],
      ['PostMaster', 'smtp'],
    ]);
  });

  it('is the address as the MTA reads it, with its quotes if it has any, where that typed is not ours', async () => {
    const record = recorder();
    const { address } = await runMilter(record);
    const client = await open(address);
    client.send('D R | {rcpt_addr} | "a b"@example.com', 'R <@x:"a b"%example.com@mx.test>');
    client.send('D R | {rcpt_addr} | john."a b"@example.com', 'R <x@mx.test>');
    client.send('D R | {rcpt_addr} | known@example.com', 'R <known@example.com>', 'Q');
    await client.rest();
    expect(record.told.map(({ question }) => [question.recipient, question.form])).toEqual([
      ['"a b"@example.com', 'smtp'],
      ['john."a b"@example.com', 'smtp'],
      ['known@example.com', 'smtp'],
    ]);
    expect(record.told[0]?.question).toMatchObject({ folded: true, advisory: true });
  });
});

describe('a verdict that comes later', () => {
  it('is waited for by the commands after it', async () => {
    const release: (() => void)[] = [];
    const { address } = await runMilter({
      confirm: (question, verdict) =>
        question.recipient.startsWith('unknown')
          ? new Promise((resolve) => release.push(() => resolve(verdict)))
          : undefined,
    });
    const client = await open(address);
    client.send('R <unknown@example.com>', 'R <disabled@example.com>', 'R <unknown@example.com>', 'E', 'Q');
    await expect.poll(() => release.length).toBe(1);
    release[0]?.();
    expect(await client.answer()).toBe(refused);
    expect(await client.answer()).toMatch(/^y 550 5\.2\.1 /);
    await expect.poll(() => release.length).toBe(2);
    release[1]?.();
    expect(await client.rest()).toEqual([refused, 'c']);
  });

  it('is not cut by idleness while it is awaited, which counts again after it', async () => {
    const { address } = await runMilter({
      idleTimeoutMs: 50,
      confirm: (_, verdict) =>
        new Promise((resolve) => {
          setTimeout(resolve, 180, verdict);
        }),
    });
    const client = await open(address);
    client.send('R <unknown@example.com>');
    expect(await client.rest()).toEqual([refused]);
  });

  it('keeps the edge from reading on', async () => {
    const { address } = await runMilter({ confirm: () => new Promise(() => undefined) });
    const client = await open(address);
    client.send('R <unknown@example.com>');
    const flood = Buffer.concat(Array<Buffer>(2000).fill(encode(`R <${'x'.repeat(300)}@example.com>`)));
    let sent = 0;
    while (sent < 40_000_000 && (await taken(client, flood))) sent += flood.length;
    expect(sent).toBeLessThan(40_000_000);
    client.close();
  }, 20_000);
});

describe('a client that is no MTA', () => {
  it('is sent away when a command is not completed in time, or nothing comes for too long', async () => {
    const slow = await open((await runMilter({ requestTimeoutMs: 50 })).address);
    slow.sendRaw(encode('R <known@example.com>').subarray(0, 12));
    expect(await slow.rest()).toEqual([]);
    const body = await open((await runMilter({ requestTimeoutMs: 50 })).address);
    body.sendRaw(encode('B 12345678').subarray(0, 9));
    expect(await body.rest()).toEqual([]);
    const idle = await open((await runMilter({ idleTimeoutMs: 50 })).address);
    expect(await idle.rest()).toEqual([]);
  });

  it('is not read when it does not read', async () => {
    const verdict = { ...verdictFor('unknown'), text: 'x'.repeat(300) };
    const { address, edge } = await runMilter({ decide: () => verdict });
    const client = await open(address);
    client.socket.pause();
    const flood = Buffer.concat(Array<Buffer>(5000).fill(encode('R <unknown@example.com>')));
    // The kernel holds some megabytes of questions, and some of answers, which are ten times as long.
    let sent = 0;
    while (sent < 16_000_000 && (await taken(client, flood))) sent += flood.length;
    expect(sent).toBeLessThan(16_000_000);
    client.close();
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
  }, 30_000);

  it('never gets a CONTINUE for garbage, alone or after a negotiation', async () => {
    const { address, edge } = await runMilter();
    for (let round = 0; round < 20; round += 1) {
      const client = round % 2 === 0 ? await openMilter(address) : await open(address);
      client.sendRaw(randomBytes(5000).fill(0x20, 0, 1));
      client.socket.end();
      expect(await client.rest()).toEqual([]);
    }
    await stillServes(address);
    await expect.poll(() => edge.connections(), { timeout: 15_000 }).toBe(0);
  });

  it('gets an unknown recipient accepted by no order, split or mixture of commands', async () => {
    const { address } = await runMilter();
    const anything = fc.constantFrom(
      fullOffer,
      'O 2 | 0x1f | 0x7f',
      'D R | {rcpt_mailer} | error | {rcpt_addr} | known@example.com',
      'C c | 4 | 1 | 192.0.2.7',
      'H c',
      'M <s@c>',
      'T',
      'L R | <known@example.com>',
      'N',
      'B x',
      'E',
      'A',
      'K',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 15 }), fc.nat(400), async (before, place) => {
        const client = await open(address);
        const bytes = Buffer.concat([...before, 'R <unknown@example.com>', 'Q'].map(encode));
        client.sendRaw(bytes.subarray(0, place));
        await new Promise((resolve) => setImmediate(resolve));
        client.sendRaw(bytes.subarray(place));
        expect((await client.rest()).at(-1)).toBe(refused);
        client.close();
      }),
      { numRuns: 100 },
    );
  }, 30_000);
});

describe('drain of the milter edge', () => {
  it('answers every recipient sent before it, on every connection, and lets transactions end', async () => {
    const { address, edge } = await runMilter({ drainTimeoutMs: 15_000 });
    const clients = await Promise.all(Array.from({ length: 500 }, () => open(address)));
    const recipients = Array<string>(5).fill('R <unknown@example.com>');
    for (const client of clients) client.send('M <>', ...recipients);
    const drained = edge.drain();
    for (const client of clients)
      for (let count = 0; count < 5; count += 1) expect(await client.answer()).toBe(refused);
    for (const client of clients) client.send('R <known@example.com>', 'E');
    for (const client of clients) expect(await client.rest()).toEqual(['c', 'c']);
    await drained;
  });

  it('leaves at once between transactions, and at an abort', async () => {
    const { address, edge } = await runMilter({ drainTimeoutMs: 5000 });
    const idle = await open(address);
    const busy = await open(address);
    busy.send('M <>', 'R <unknown@example.com>');
    expect(await busy.answer()).toBe(refused);
    const drained = edge.drain();
    expect(await idle.rest()).toEqual([]);
    busy.send('A');
    expect(await busy.rest()).toEqual([]);
    await drained;
  });

  it('waits for a verdict that is awaited, and for a command that has begun', async () => {
    let release: (() => void) | undefined;
    const { address, edge } = await runMilter({
      drainTimeoutMs: 5000,
      confirm: () => new Promise((resolve) => (release = () => resolve(verdictFor('unknown')))),
    });
    const late = await open(address);
    late.send('R <unknown@example.com>');
    const begun = await open(address);
    const command = encode('R <known@example.com>');
    begun.sendRaw(command.subarray(0, 10));
    await expect.poll(() => release).toBeDefined();
    const idle = await open(address);
    const drained = edge.drain();
    expect(await idle.rest()).toEqual([]);
    begun.sendRaw(command.subarray(10));
    expect(await begun.rest()).toEqual(['c']);
    release?.();
    expect(await late.rest()).toEqual([refused]);
    await drained;
  });

  it('cuts at the deadline a transaction that goes on', async () => {
    const { address, edge } = await runMilter({ drainTimeoutMs: 50 });
    const client = await open(address);
    client.send('M <>', 'R <unknown@example.com>');
    expect(await client.answer()).toBe(refused);
    await edge.drain();
    expect(await client.rest()).toEqual([]);
  });
});

/** Whether the bytes left for the kernel; false when nothing has moved for two seconds. */
function taken(client: MilterClient, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 2000);
    client.socket.write(bytes, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
