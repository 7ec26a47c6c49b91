/** People come and go in a real slapd; scheduled runs bring it to the edges by themselves, under `rollcall serve`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { staffEnv, staffInSlapd } from '../support/product-config.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { session } from '../support/smtp-client.js';

describe.skipIf(!haveSlapd)('scheduled runs', () => {
  const [newcomer] = makePeople(1, { from: 1_001 }).dns;
  const entry = makePeople(1, { from: 1_001 }).ldif;
  const address = 'person1001@example.com';
  let slapd: Slapd;
  let rollcall: Rollcall;
  let serve: RunningProcess;
  const defer = deferred();

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: makePeople(100).ldif });
    defer(() => slapd.remove());
    rollcall = createRollcall(
      staffInSlapd(slapd, {
        source: { schedule: '*/1 * * * * *' },
        // long enough to be seen past a slow run
        domain: { removed: { deferFor: '5s' } },
      }),
      staffEnv(slapd),
    );
    defer(() => rollcall.remove());
    serve = await rollcall.start('serve');
    await becomes('person1@example.com', '250 2.1.5');
  });

  /** Code and status at RCPT, now. */
  async function answer(recipient: string): Promise<string> {
    const [reply = ''] = await session(serve.port('smtp'), 'somebody@elsewhere.test', [recipient]);
    return reply.slice(0, 9);
  }

  /** All that is answered, in order and without repetitions, until it is `last`. */
  async function becomes(recipient: string, last: string): Promise<string[]> {
    const seen: string[] = [];
    await eventually(
      async () => {
        const now = await answer(recipient);
        if (seen.at(-1) !== now) seen.push(now);
        return now;
      },
      (now) => now === last,
    );
    return seen;
  }

  const gone = async (): Promise<void> => slapd.delete([newcomer ?? '']);

  it('accept somebody who was added, defer and then refuse somebody who was removed, and take them back at once', async () => {
    expect(await answer(address)).toBe('550 5.1.1');
    await slapd.add(entry);
    expect(await becomes(address, '250 2.1.5')).toEqual(['550 5.1.1', '250 2.1.5']);

    await gone();
    const removedAt = Date.now();
    expect(await becomes(address, '550 5.1.1')).toEqual(['250 2.1.5', '450 4.2.1', '550 5.1.1']);
    expect(Date.now() - removedAt).toBeGreaterThan(5_000);

    await slapd.add(entry);
    expect(await becomes(address, '250 2.1.5')).toEqual(['550 5.1.1', '250 2.1.5']);

    await gone();
    expect(await becomes(address, '450 4.2.1')).toEqual(['250 2.1.5', '450 4.2.1']);
    await slapd.add(entry);
    expect(await becomes(address, '250 2.1.5')).toEqual(['450 4.2.1', '250 2.1.5']);
    // nobody else was touched by all that
    expect(await answer('person100@example.com')).toBe('250 2.1.5');
    expect(await answer('person101@example.com')).toBe('550 5.1.1');
  }, 60_000);
});
