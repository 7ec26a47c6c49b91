/** Every reason of the verdict table, through both edges: the same code, status and text, in the edge's own words. */
import { describe, expect, it } from 'vitest';
import { reasons, replies } from '../../src/policy/verdict.js';
import { openClient, policyAction, policyRequest, smtpAsk, smtpReply } from './client.js';
import { runPolicy, runSmtp } from './edges.js';
import { recorder, reference } from './fake-decide.js';

describe.each(reasons)('%s', (reason) => {
  const reply = replies[reason];
  const recipient = `${reason}@example.com`;
  const said = `${reply.code} ${reply.status} ${reply.text}`;
  const refused = `${said} (ref ${reference})`;

  it('at RCPT of the SMTP edge', async () => {
    const record = recorder();
    const { address } = await runSmtp(record);
    const client = await openClient(address);
    await smtpReply(client);
    await smtpAsk(client, 'EHLO client.example');
    await smtpAsk(client, 'MAIL FROM:<sender@client.example>');
    expect(await smtpAsk(client, `RCPT TO:<${recipient}>`)).toBe(reply.action === 'accept' ? said : refused);
    const sender = 'sender@client.example';
    expect(record.asked).toEqual([{ recipient, form: 'smtp', sender, client: '127.0.0.1', edge: 'smtp' }]);
    expect(record.told.map((each) => each.verdict.reason)).toEqual([reason]);
  });

  it('as an action of the policy edge', async () => {
    const record = recorder();
    const { address } = await runPolicy(record);
    const client = await openClient(address);
    client.send(policyRequest({ recipient, sender: '', client_address: '192.0.2.7' }));
    const silent = reply.action === 'accept' || reason === 'not-our-domain';
    expect(await policyAction(client)).toBe(silent ? 'DUNNO' : refused);
    expect(record.asked).toEqual([
      { recipient, form: 'internal', advisory: true, sender: '', client: '192.0.2.7', edge: 'policy' },
    ]);
    expect(record.told).toHaveLength(1);
  });
});

describe('texts from the configuration', () => {
  const nasty = {
    ...replies.unknown,
    reason: 'unknown',
    text: 'line one\r\n250 2.1.5 line tw\u00f6\naction=OK\0',
  } as const;

  it('cannot split an SMTP reply', async () => {
    const { address } = await runSmtp({ decide: () => nasty });
    const client = await openClient(address);
    client.send('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nQUIT\r\n');
    const lines = await client.rest();
    expect(lines.slice(3)).toEqual(['550 5.1.1 line one 250 2.1.5 line tw action=OK', '221 2.0.0 Bye']);
  });

  it('cannot split a policy answer, and never leave a bare code', async () => {
    for (const [text, said] of [
      [nasty.text, '550 5.1.1 line one 250 2.1.5 line tw action=OK'],
      ['\r\n', '550 5.1.1 No reason given'],
    ] as const) {
      const { address } = await runPolicy({ decide: () => ({ ...nasty, text }) });
      const client = await openClient(address);
      client.send(policyRequest({ recipient: 'a@example.com' }));
      expect(await policyAction(client)).toBe(said);
    }
  });
});
