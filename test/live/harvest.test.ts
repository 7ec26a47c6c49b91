/** A harvest, a slow directory and a control that comes and goes, before a real edge; the directory is a real slapd. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectPolicy, askOnce } from '../processes/policy-client.js';
import { eventually } from '../support/eventually.js';
import type { Json, StaffOptions } from '../support/product-config.js';
import type { RunningProcess } from '../support/rollcall.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createLiveHouse, newPerson, type LiveHouse } from './house.js';

/** RFC 4511 §4.5.1: a SearchRequest that names a harvested address is one question about it. */
const harvested = /harvest\d+@example\.com/g;

describe.runIf(haveSlapd)('before a real edge', () => {
  let slapd: Slapd;
  let proxy: TcpProxy;
  let searches: string[] = [];
  let delay: Promise<void> | undefined;
  let product: LiveHouse;
  const running: RunningProcess[] = [];

  beforeAll(async () => {
    slapd = await startSlapd({ ldif: makePeople(20).ldif });
    proxy = await startProxy(slapd.port, async ({ request }) => {
      searches.push(...new Set(request.toString('latin1').match(harvested)));
      await delay;
    });
    product = await createLiveHouse(slapd, options());
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.kill()));
    searches = [];
    delay = undefined;
  });
  afterAll(async () => {
    await product.remove();
    await proxy.close();
    await slapd.remove();
  });

  function options(confirm: Json = {}): StaffOptions {
    return {
      source: { url: `ldap://127.0.0.1:${proxy.port}`, confirm },
      rest: { edges: { policy: { listen: '127.0.0.1:0', maxConnections: 1000 } } },
    };
  }

  async function start(name: 'control' | 'edge'): Promise<RunningProcess> {
    const started = await product.start(name);
    running.push(started);
    return started;
  }

  /** So many questions over so many connections; every answer, with how long it took at the longest. */
  async function harvest(
    port: number,
    clients: number,
    each: number,
  ): Promise<{ answers: string[]; longestMs: number }> {
    let longestMs = 0;
    const all = Array.from({ length: clients }, async (_, client) => {
      const connection = await connectPolicy(port);
      const answers: string[] = [];
      for (let i = 0; i < each; i += 1) {
        const began = performance.now();
        answers.push(await connection.ask(`harvest${client * each + i}@example.com`));
        longestMs = Math.max(longestMs, performance.now() - began);
      }
      connection.close();
      return answers;
    });
    return { answers: (await Promise.all(all)).flat(), longestMs };
  }

  it('a harvest costs the directory its rate and no more, and everybody gets the word of the list', async () => {
    product.reconfigure(options({ perSecond: 5 }));
    const control = await start('control');
    const edge = await start('edge');
    const began = performance.now();
    const { answers } = await harvest(edge.port('policy'), 100, 10);
    const seconds = (performance.now() - began) / 1000;
    expect(answers.length).toBe(1000);
    expect(answers.filter((answer) => !answer.startsWith('550 5.1.1 '))).toEqual([]);
    // five at once, five a second, and two that are under way
    const allowed = 5 + Math.ceil(seconds * 5) + 2;
    expect(searches.length).toBeLessThanOrEqual(allowed);
    expect(searches.length).toBeGreaterThanOrEqual(2);
    expect(new Set(searches).size).toBe(searches.length);
    const metrics = await (await fetch(`http://127.0.0.1:${control.port('http')}/metrics`)).text();
    const told = Number(/rollcall_live_lookups_total\{source="staff"\} (\d+)/.exec(metrics)?.[1]);
    // one that came too late for its deadline may not have left for the directory
    expect(told).toBeGreaterThanOrEqual(searches.length);
    expect(told).toBeLessThanOrEqual(allowed);
    expect(metrics).toMatch(/rollcall_live_questions_total\{source="staff",answer="not-found"\} \d+/);
  });

  it('a directory that hangs delays no verdict past its deadline', async () => {
    product.reconfigure(options({ timeout: '500ms', perSecond: 1000 }));
    await start('control');
    const edge = await start('edge');
    let goOn: () => void = () => undefined;
    delay = new Promise((resolve) => (goOn = resolve));
    const { answers, longestMs } = await harvest(edge.port('policy'), 50, 4);
    goOn();
    expect(answers.filter((answer) => !answer.startsWith('550 5.1.1 '))).toEqual([]);
    // the rest is the machine's; to the millisecond in deadline.test.ts
    expect(longestMs).toBeLessThan(2500);
  });

  it('without control the list speaks, at once; when it is back, the directory is asked again', async () => {
    product.reconfigure(options());
    const edge = await start('edge');
    const port = edge.port('policy');
    await newPerson(slapd, 'hedy');
    expect(await askOnce(port, 'hedy@example.com')).toMatch(/^550 5\.1\.1 /);
    expect(edge.log()).toContain('control cannot be asked');
    for (const name of ['first', 'second']) {
      const control = await start('control');
      await newPerson(slapd, name);
      await eventually(
        () => askOnce(port, `${name}@example.com`),
        (answer) => answer === 'DUNNO',
      );
      await control.kill();
    }
    expect(await askOnce(port, 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });

  it('is asked no more after it was switched off, and by a person who looks without being claimed', async () => {
    product.reconfigure(options());
    const control = await start('control');
    await newPerson(slapd, 'ruth');
    const looked = await product.cli(['check', 'ruth@example.com']);
    expect(looked.json).toMatchObject({
      ...{ action: 'accept', reason: 'known', claims: [] },
      live: [{ source: 'staff', recipient: 'ruth@example.com', answer: 'found' }],
    });
    product.reconfigure(options({ enabled: false }));
    process.kill(control.pid, 'SIGHUP');
    await eventually(
      () => control.log(),
      (log) => log.includes('configuration reloaded'),
    );
    const { json } = await product.cli(['check', 'ruth@example.com']);
    expect(json).toMatchObject({ action: 'reject', reason: 'unknown', live: [] });
  });
});
