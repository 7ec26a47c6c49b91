/** `serve`: both processes up, one that dies started again, and an end that leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { RunningProcess } from '../support/rollcall.js';
import { createCsvHouse, freePort, type CsvHouse, type HouseOptions } from './csv-house.js';
import { askOnce } from './policy-client.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const houses: CsvHouse[] = [];
function house(options?: HouseOptions): CsvHouse {
  const created = createCsvHouse(options);
  houses.push(created);
  return created;
}
afterEach(async () => {
  for (const each of houses.splice(0)) await each.remove();
});

/** The newest process of that name, as serve has logged it. */
function pidOf(serve: Pick<RunningProcess, 'log'>, name: string): number {
  const lines = serve
    .log()
    .split('\n')
    .filter((line) => line.includes('child process ready'));
  const pids = lines.flatMap((line) => {
    const event = JSON.parse(line) as { child: string; pid: number };
    return event.child === name ? [event.pid] : [];
  });
  return pids.at(-1) ?? 0;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('serve', () => {
  it('prints where each door is and a line to try, and answers from the list by itself', async () => {
    const serve = await house({ rest: { http: { listen: '127.0.0.1:0' } } }).start('serve');
    const port = serve.port('policy');
    await eventually(
      () => askOnce(port, 'p3@example.com'),
      (answer) => answer === 'DUNNO',
    );
    expect(await askOnce(port, 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    // the edge runs as the systemd unit runs it
    expect(readFileSync(`/proc/${pidOf(serve, 'edge')}/cmdline`, 'utf8')).toContain(
      '--max-semi-space-size=4',
    );
    // the banner comes through a pipe, and control looks at the list twice a second: neither is there at once
    const banner = [
      `policy  127.0.0.1:${port}\n`,
      `recipient=nobody@example.com\\n\\n' | nc -w 1 127.0.0.1 ${port}\n`,
    ];
    await eventually(
      () => serve.log(),
      (log) => banner.every((line) => log.includes(line)),
    );
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${serve.port('http')}/readyz`)).status,
      (status) => status === 200,
    );
    await serve.stop();
    expect(serve.log()).not.toMatch(/"level":"error".*"part":"control"/);
  });

  it('starts an edge that was killed again, which answers as before', async () => {
    const port = await freePort();
    const serve = await house({ policy: { listen: `127.0.0.1:${port}` } }).start('serve');
    const known = (): Promise<string> => askOnce(port, 'p3@example.com');
    await eventually(known, (answer) => answer === 'DUNNO');
    const [edge, control] = [pidOf(serve, 'edge'), pidOf(serve, 'control')];
    process.kill(edge, 'SIGKILL');
    await eventually(
      () => pidOf(serve, 'edge'),
      (pid) => pid !== edge,
    );
    expect(await known()).toBe('DUNNO');
    expect(await askOnce(port, 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    expect(pidOf(serve, 'control')).toBe(control);
  });

  it('starts a process again with the last good configuration while the file is wrong', async () => {
    const port = await freePort();
    const created = house({ policy: { listen: `127.0.0.1:${port}` } });
    const serve = await created.start('serve');
    const known = (): Promise<string> => askOnce(port, 'p3@example.com');
    await eventually(known, (answer) => answer === 'DUNNO');
    writeFileSync(created.configFile, '{ "domains": { "example.com": { "mode": "enforced" } } }');
    process.kill(serve.pid, 'SIGHUP');
    await eventually(
      () => serve.log().split('the old one stays in force').length - 1,
      (refusals) => refusals === 2,
    );
    const edge = pidOf(serve, 'edge');
    process.kill(edge, 'SIGKILL');
    await eventually(
      () => pidOf(serve, 'edge'),
      (pid) => pid !== edge,
    );
    expect(await known()).toBe('DUNNO');
    expect(serve.log()).toContain('configuration refused: running with the last good one');
  });

  it('leaves the edge alone while control is killed and comes back', async () => {
    const serve = await house().start('serve');
    const port = serve.port('policy');
    await eventually(
      () => askOnce(port, 'p3@example.com'),
      (answer) => answer === 'DUNNO',
    );
    const [edge, control] = [pidOf(serve, 'edge'), pidOf(serve, 'control')];
    process.kill(control, 'SIGKILL');
    const pid = await eventually(
      () => pidOf(serve, 'control'),
      (now) => now !== control,
    );
    expect(isAlive(pid)).toBe(true);
    expect(pidOf(serve, 'edge')).toBe(edge);
    expect(await askOnce(port, 'p3@example.com')).toBe('DUNNO');
  });

  it('ends with status 0 on SIGTERM, its children with it', async () => {
    const serve = spawn(process.execPath, [main, '-c', house().configFile, 'serve']);
    let log = '';
    for (const stream of [serve.stdout, serve.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (log += text));
    }
    await eventually(
      () => log,
      (text) => text.includes('Rollcall is up'),
    );
    const pids = [pidOf({ log: () => log }, 'edge'), pidOf({ log: () => log }, 'control')];
    expect(pids.map(isAlive)).toEqual([true, true]);
    serve.kill('SIGTERM');
    expect(await once(serve, 'exit')).toEqual([0, null]);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('takes its children with it when it is killed', async () => {
    const serve = await house().start('serve');
    const pids = [pidOf(serve, 'edge'), pidOf(serve, 'control')];
    await serve.kill();
    await eventually(
      () => pids.filter(isAlive),
      (left) => left.length === 0,
    );
  });

  it('ends with status 2 and says why when the configuration is wrong', async () => {
    const created = house({ domain: { mode: 'enforced' } });
    for (const name of ['serve', 'edge', 'control']) {
      const { status, stderr } = await created.cli([name]);
      expect({ name, status }).toEqual({ name, status: 2 });
      expect(stderr).toContain('domains["example.com"].mode');
    }
  });

  it('ends with status 2 when a door cannot be opened', async () => {
    const first = house();
    const edge = await first.start('edge');
    const second = house({ policy: { listen: `127.0.0.1:${edge.port('policy')}` } });
    const { status, stderr } = await second.cli(['serve']);
    expect(status).toBe(2);
    expect(stderr).toContain(`the policy edge cannot listen on 127.0.0.1:${edge.port('policy')}`);
  });
});
