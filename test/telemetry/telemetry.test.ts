import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger, fileDestination, type LoggerOptions } from '../../src/telemetry/log.js';
import { createMailLog, type VerdictEvent } from '../../src/telemetry/mail-log.js';
import { counter, createMetrics, gauge, histogram } from '../../src/telemetry/metrics.js';

function lines(): { readonly written: string[]; readonly destination: { write(line: string): void } } {
  const written: string[] = [];
  return { written, destination: { write: (line) => written.push(line) } };
}

function logged(options: LoggerOptions, log: (logger: ReturnType<typeof createLogger>) => void): string {
  const { written, destination } = lines();
  log(createLogger({ ...options, destination }));
  return written.join('');
}

describe('service log', () => {
  it('writes JSON with time, level and message, and nothing below its level', () => {
    const text = logged({ level: 'info' }, (log) => {
      log.debug('hidden');
      log.info({ source: 'staff' }, 'sync started');
    });
    expect(JSON.parse(text)).toMatchObject({ level: 'info', source: 'staff', msg: 'sync started' });
  });

  it('never writes a secret, wherever it stands', () => {
    const text = logged({}, (log) => {
      log.info({ password: 'pssst', headers: { authorization: 'Bearer pssst' } }, 'one');
      log.info({ a: { b: { bindPassword: 'pssst' }, token: 'pssst' }, clientSecret: 'pssst' }, 'two');
      log.child({ token: 'pssst' }).info('three');
    });
    expect(text).not.toContain('pssst');
    expect(text).toContain('[redacted]');
  });

  it('writes for a person when asked, one line an event', () => {
    const text = logged({ format: 'pretty' }, (log) =>
      log.warn({ edge: 'smtp', why: 'a\nb "c"', count: 3, err: new Error('boom') }, 'odd'),
    );
    expect(text).toMatch(/^\d\d:\d\d:\d\d warn {2}odd edge=smtp why="a\\nb \\"c\\"" count=3 err="boom"\n$/);
  });

  it('writes to a file that others cannot read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-'));
    const file = join(folder, 'mail.log');
    createLogger({ destination: fileDestination(file) }).info('here');
    await expect
      .poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 15_000 })
      .toContain('here');
    expect(statSync(file).mode & 0o077).toBe(0);
    rmSync(folder, { recursive: true });
  });
});

describe('mail log', () => {
  const event: VerdictEvent = {
    edge: 'policy',
    recipient: 'nobody@example.com',
    sender: 'someone@client.example',
    client: '192.0.2.7',
    action: 'reject',
    reason: 'unknown',
    code: 550,
    status: '5.1.1',
    reference: 'K3QX7A',
  };

  it('tells of rejects at info and of accepts at debug, observed ones at info', () => {
    const text = logged({ level: 'info' }, (log) => {
      const mail = createMailLog(log);
      mail.verdict(event);
      mail.verdict({ ...event, action: 'accept', reason: 'known' });
      mail.verdict({ ...event, action: 'accept', reason: 'known', observed: 'unknown' });
    });
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ ...event, msg: 'verdict' });
  });

  it('keeps addresses to itself when told to', () => {
    const text = logged({}, (log) => createMailLog(log, { addresses: false }).verdict(event));
    expect(text).not.toMatch(/nobody|someone/);
    expect(JSON.parse(text)).toMatchObject({ recipient: 'example.com', reference: 'K3QX7A' });
  });
});

describe('metrics', () => {
  it('declares a metric once, however often it is asked for', async () => {
    const metrics = createMetrics({ process: false });
    counter(metrics, 'x_total', 'All x', ['edge']).inc({ edge: 'smtp' });
    counter(metrics, 'x_total', 'All x', ['edge']).inc({ edge: 'smtp' });
    gauge(metrics, 'y', 'Now y').set(3);
    histogram(metrics, 'z_seconds', 'Time of z', [], [0.1, 1]).observe(0.5);
    const text = await metrics.metrics();
    expect(text).toContain('# HELP x_total All x');
    expect(text).toContain('x_total{edge="smtp"} 2');
    expect(text).toContain('y 3');
    expect(text).toContain('z_seconds_bucket{le="1"} 1');
  });

  it('has the figures of the process', async () => {
    expect(await createMetrics().metrics()).toContain('process_resident_memory_bytes');
  });
});

it('a mail log on a full disk neither ends the process nor keeps it from ending', () => {
  const script = `
    import { createLogger, fileDestination } from ${JSON.stringify(new URL('../../dist/telemetry/log.js', import.meta.url).href)};
    const log = createLogger({ destination: fileDestination('/dev/full'), redact: false });
    const timer = setInterval(() => log.info('x'.repeat(40_000)), 20);
    setTimeout(() => { clearInterval(timer); process.stdout.write('still here'); }, 600);`;
  const { status, stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 15_000,
    encoding: 'utf8',
  });
  expect({ status, stdout, signal }).toEqual({ status: 0, stdout: 'still here', signal: null });
});

it('lines gathered at the end are written when the process ends', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'rollcall-log-')), 'mail.log');
  const script = `
    import { createLogger, fileDestination } from ${JSON.stringify(new URL('../../dist/telemetry/log.js', import.meta.url).href)};
    const log = createLogger({ destination: fileDestination(${JSON.stringify(file)}), redact: false });
    setTimeout(() => { log.info('the last line'); process.exit(0); }, 300);`;
  spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 15_000 });
  expect(readFileSync(file, 'utf8')).toContain('the last line');
  rmSync(dirname(file), { recursive: true });
});
