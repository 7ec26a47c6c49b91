/** 40 % of the people gone from a real slapd: what the guard lets through, what it holds, and what a person does with it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { staffEnv, staffInSlapd } from '../support/product-config.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { eventually } from '../support/eventually.js';
import { session } from '../support/smtp-client.js';
import { readStore, type StoreState } from '../support/store.js';

interface Summary {
  readonly run: number;
  readonly planHash: string;
  readonly state: string;
  readonly counts: { readonly added: number; readonly removed: number; readonly held: number };
}

describe.skipIf(!haveSlapd)('40 % of the people gone', () => {
  const people = makePeople(500);
  const leavers = people.dns.slice(0, 200);
  const leaving = makePeople(200).known.filter((address) => address.startsWith('person'));
  const joiners = makePeople(20, { from: 1_001 });
  let slapd: Slapd;
  let rollcall: Rollcall;
  let edge: RunningProcess;
  let first: StoreState;
  let partlyHeld: Summary;
  const defer = deferred();

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif });
    defer(() => slapd.remove());
    rollcall = createRollcall(staffInSlapd(slapd), staffEnv(slapd));
    defer(() => rollcall.remove());
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ status: 0 });
    edge = await rollcall.start('edge');
    first = readStore(rollcall.dataDir);
    await slapd.delete(leavers);
    await slapd.add(joiners.ldif);
  });

  async function run(args: readonly string[], status: number): Promise<Summary> {
    const result = await rollcall.cli(args);
    expect(result.status, result.stdout + result.stderr).toBe(status);
    return result.json as unknown as Summary;
  }

  /** The answers these addresses get; all the same, or listed. */
  async function answers(addresses: readonly string[]): Promise<string[]> {
    const got: string[] = [];
    // a session of the smtp edge ends after 100 refused recipients
    for (let from = 0; from < addresses.length; from += 90) {
      got.push(...(await session(edge.port('smtp'), 'x@elsewhere.test', addresses.slice(from, from + 90))));
    }
    return [...new Set(got.map((answer) => answer.slice(0, 9)))];
  }

  /** The edge looks for a new generation every half second. */
  const soon = (addresses: readonly string[], answer: string): Promise<string[]> =>
    eventually(
      () => answers(addresses),
      (got) => got.length === 1 && got[0] === answer,
    );

  it('a preview shows it and changes nothing', async () => {
    const { json } = await rollcall.cli(['sync', 'staff', '--dry-run']);
    expect(json).toMatchObject({
      state: 'planned',
      counts: { added: joiners.known.length, removed: leaving.length, held: leaving.length },
    });
    expect(readStore(rollcall.dataDir).hash).toBe(first.hash);
  });

  it('additions are applied and removals held: exit status 3', async () => {
    partlyHeld = await run(['sync', 'staff'], 3);
    expect(partlyHeld).toMatchObject({
      state: 'partly-held',
      counts: { added: joiners.known.length, removed: 0, held: leaving.length },
    });
    await soon(joiners.known, '250 2.1.5');
    expect(await answers(leaving)).toEqual(['250 2.1.5']);
    expect(readStore(rollcall.dataDir).claims).toBe(first.claims + joiners.known.length);
  });

  it('an approval of a plan that has changed since applies nothing', async () => {
    const held = readStore(rollcall.dataDir);
    // one more leaves, so that the next read of everything holds another plan
    await slapd.delete(people.dns.slice(200, 201));
    const newer = await run(['sync', 'staff', '--full'], 3);
    expect(newer.planHash).not.toBe(partlyHeld.planHash);
    for (const stale of [
      ['approve', String(partlyHeld.run)],
      ['approve', String(partlyHeld.run), '--hash', partlyHeld.planHash],
      ['approve', String(newer.run), '--hash', partlyHeld.planHash],
      ['approve', String(newer.run), '--hash', '0000000000000000'],
    ]) {
      await run(stale, 1);
    }
    const { claims, hash } = readStore(rollcall.dataDir);
    expect({ claims, hash }).toEqual({ claims: held.claims, hash: held.hash });
    expect(await answers(leaving)).toEqual(['250 2.1.5']);
    partlyHeld = { ...newer, state: partlyHeld.state, run: newer.run };
  });

  it('with the right hash the removals are applied', async () => {
    const approved = await run(['approve', String(partlyHeld.run), '--hash', partlyHeld.planHash], 0);
    expect(approved).toMatchObject({
      state: 'applied',
      counts: { added: 0, removed: partlyHeld.counts.held },
    });
    await soon(leaving, '450 4.2.1');
    expect(await answers(joiners.known)).toEqual(['250 2.1.5']);
    expect(readStore(rollcall.dataDir).claims).toBe(
      first.claims + joiners.known.length - partlyHeld.counts.held,
    );
  });

  it('a rollback restores every claim', async () => {
    const { json } = await rollcall.cli(['runs', '--source', 'staff']);
    const runs = JSON.stringify(json);
    // run 1 is the first sync, run 2 the preview, run 3 the one that was partly held
    const back = await run(['rollback', '3'], 0);
    expect(back.state, runs).toBe('applied');
    const { claims, hash } = readStore(rollcall.dataDir);
    expect({ claims, hash }).toEqual({ claims: first.claims, hash: first.hash });
    await soon(leaving, '250 2.1.5');
    await soon(joiners.known, '450 4.2.1');
  });
});
