/**
 * Everything that goes wrong at a real slapd: no removal, a run that says why, and the same verdicts as before.
 */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { staffEnv, staffInSlapd, type Json } from '../support/product-config.js';
import { createRollcall, type CliResult, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { haveSlapd, hideEven, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { session } from '../support/smtp-client.js';
import { readStore, type StoreState } from '../support/store.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';

describe.skipIf(!haveSlapd)('a fault at the directory', () => {
  const people = makePeople(500);
  const unknown = Array.from({ length: 50 }, (_, i) => `nobody${i}@example.com`);
  const asked = [...people.known, ...unknown];
  let slapd: Slapd;
  let rollcall: Rollcall;
  let edge: RunningProcess;
  let before: StoreState;
  let proxy: TcpProxy | undefined;
  const defer = deferred();

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: people.ldif });
    defer(() => slapd.remove());
    rollcall = createRollcall(staffInSlapd(slapd), { ...staffEnv(slapd), WRONG_PASSWORD: 'open-sesame' });
    defer(() => rollcall.remove());
    expect(await rollcall.cli(['sync', 'staff'])).toMatchObject({ status: 0, json: { state: 'applied' } });
    edge = await rollcall.start('edge');
    before = readStore(rollcall.dataDir);
    expect(before.claims).toBe(people.known.length);
    expect(await wrongVerdicts()).toEqual([]);
  });
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    await slapd.restart({ limits: { total: 'unlimited' }, hide: undefined });
    source({});
  });

  function source(changes: Json): void {
    rollcall.configure(staffInSlapd(slapd, { source: { pageSize: 50, ...changes } }));
  }

  async function through(onRequest: Parameters<typeof startProxy>[1]): Promise<void> {
    proxy = await startProxy(slapd.port, onRequest);
    source({ url: `ldap://127.0.0.1:${proxy.port}` });
  }

  /** Everybody known is accepted, everybody else refused: who is not? */
  async function wrongVerdicts(): Promise<string[]> {
    const answers = await session(edge.port('smtp'), 'somebody@elsewhere.test', asked);
    return answers.flatMap((answer, i) => {
      const right = i < people.known.length ? '250 2.1.5' : '550 5.1.1';
      return answer.startsWith(right) ? [] : [`${asked[i] ?? ''}: ${answer}`];
    });
  }

  async function sync(): Promise<CliResult & { reasons: string }> {
    const result = await rollcall.cli(['sync', 'staff']);
    return { ...result, reasons: JSON.stringify(result.json?.['reasons']) };
  }

  // after so many octets some pages were read, and some are to come
  const midSearch = 20_000;

  it.each<readonly [string, () => void | Promise<void>, RegExp]>([
    ['slapd is stopped', () => slapd.stop(), /connection refused/],
    [
      'slapd is killed in the middle of the search',
      () => through(({ answered }) => (answered > midSearch ? slapd.kill() : undefined)),
      /closed the connection/,
    ],
    [
      'the connection is reset between two pages',
      () => through(({ answered, reset }) => (answered > midSearch ? reset() : undefined)),
      /closed the connection/,
    ],
    [
      'the password is wrong',
      () => source({ bindPassword: { env: 'WRONG_PASSWORD' } }),
      /invalid credentials/,
    ],
    ['the base is wrong', () => source({ baseDn: 'ou=nowhere,dc=example,dc=com' }), /no such object/],
    ['a size limit is hit', () => slapd.restart({ limits: { total: 200 } }), /limit exceeded/],
  ])('%s: the run fails and says so, nothing is removed, every verdict stays', async (_, breakIt, reason) => {
    await breakIt();
    const { status, json, reasons, stdout, stderr } = await sync();
    expect({ status, state: json?.['state'], complete: json?.['complete'] }, stdout + stderr).toEqual({
      status: 1,
      state: 'failed',
      complete: false,
    });
    expect(reasons).toMatch(reason);
    expect(stdout + stderr).not.toMatch(/open-sesame|reader-secret/);
    expect(readStore(rollcall.dataDir)).toEqual(before);
    expect(await wrongVerdicts()).toEqual([]);
  });

  it('half of the entries are hidden: every removal is held and says so, every verdict stays', async () => {
    await slapd.restart({ hide: hideEven });
    const { status, json, reasons } = await sync();
    expect({ status, json }).toMatchObject({
      status: 3,
      json: { state: 'held', counts: { removed: 0, added: 0 } },
    });
    const { held } = json?.['counts'] as { held: number };
    expect(held).toBeGreaterThan(people.known.length * 0.45);
    expect(reasons).toMatch(
      new RegExp(`${held} of ${before.claims} claims would be removed; the limit is 5 %`),
    );
    const { claims, hash } = readStore(rollcall.dataDir);
    expect({ claims, hash }).toEqual({ claims: before.claims, hash: before.hash });
    expect(await wrongVerdicts()).toEqual([]);
  });

  it('and when all is well again, the next run finds nothing to do', async () => {
    const { status, json } = await sync();
    expect({ status, json }).toMatchObject({ status: 0, json: { state: 'unchanged', complete: true } });
    expect(readStore(rollcall.dataDir).hash).toBe(before.hash);
  });
});
