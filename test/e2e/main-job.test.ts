/**
 * The main job, end to end, with real servers on both sides: a list in slapd becomes a verdict at RCPT TO of a Postfix.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { havePostfix, startPostfix, type Postfix } from '../support/postfix.js';
import { staffEnv, staffInSlapd } from '../support/product-config.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { session } from '../support/smtp-client.js';

const sender = 'somebody@elsewhere.test';

describe.skipIf(!haveSlapd || !havePostfix)('slapd, Rollcall, Postfix', () => {
  const people = makePeople(5_000);
  let slapd: Slapd;
  let rollcall: Rollcall;
  let edge: RunningProcess;
  const running: Postfix[] = [];
  const defer = deferred();

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif });
    defer(() => slapd.remove());
    rollcall = createRollcall(staffInSlapd(slapd), staffEnv(slapd));
    defer(() => rollcall.remove());
    const { status, json, stderr } = await rollcall.cli(['sync', 'staff']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(json).toMatchObject({ state: 'applied', complete: true, counts: { added: people.known.length } });
    edge = await rollcall.start('edge');
  }, 60_000);

  async function postfixWith(check: Parameters<typeof startPostfix>[0]['check']): Promise<Postfix> {
    const postfix = await startPostfix({ domains: ['example.com'], check });
    defer(() => postfix.stop());
    running.push(postfix);
    return postfix;
  }

  it('accepts every known address and refuses unknown ones in the same session, through check_policy_service', async () => {
    const postfix = await postfixWith({ policy: `inet:127.0.0.1:${edge.port('policy')}` });
    const batches = Array.from({ length: Math.ceil(people.known.length / 500) }, (_, batch) =>
      people.known.slice(batch * 500, (batch + 1) * 500),
    );
    const wrong: string[] = [];
    for (const known of batches) {
      // an unknown one after every fiftieth known one
      const asked = known.flatMap((address, i) => (i % 50 === 49 ? [address, `no.${address}`] : [address]));
      const answers = await session(postfix.port, sender, asked);
      expect(answers).toHaveLength(asked.length);
      for (const [i, answer] of answers.entries()) {
        const address = asked[i] ?? '';
        const right = address.startsWith('no.')
          ? answer.startsWith(
              `550 5.1.1 <${address}>: Recipient address rejected: No such mailbox here (ref `,
            )
          : answer === '250 2.1.5 Ok';
        if (!right) wrong.push(`${address}: ${answer}`);
      }
    }
    expect(wrong.slice(0, 10), postfix.log().slice(-2000)).toEqual([]);
    expect(batches.flat()).toHaveLength(7_916);
  }, 60_000);

  it('does the same through reject_unverified_recipient, probing the smtp edge', async () => {
    const postfix = await postfixWith({ verify: { port: edge.port('smtp') } });
    // the addresses of eight people with all their aliases, and four groups; each session also asks for nobody
    const known = people.known.slice(0, 40);
    const sessions = Array.from({ length: 20 }, (_, i) => [
      ...known.slice(i * 2, i * 2 + 2),
      `nobody${i}@example.com`,
    ]);
    const answers = await Promise.all(sessions.map((asked) => session(postfix.port, sender, asked)));
    for (const [i, [first, second, nobody]] of answers.entries()) {
      expect([first, second], postfix.log().slice(-2000)).toEqual(['250 2.1.5 Ok', '250 2.1.5 Ok']);
      expect(nobody).toMatch(
        new RegExp(`^550 5\\.1\\.1 <nobody${i}@example\\.com>: Recipient address rejected: `),
      );
    }
  }, 60_000);

  it('takes a subaddress, any case, and a domain in capitals, and refuses the same of nobody', async () => {
    const postfix = running[0] ?? (await postfixWith({ policy: `inet:127.0.0.1:${edge.port('policy')}` }));
    const asked = [
      'person7+lists@example.com',
      'PERSON7@EXAMPLE.COM',
      'postmaster@example.com',
      'nobody+person7@example.com',
    ];
    const codes = (await session(postfix.port, '', asked)).map((answer) => answer.slice(0, 9));
    expect(codes).toEqual(['250 2.1.5', '250 2.1.5', '250 2.1.5', '550 5.1.1']);
  });
});
