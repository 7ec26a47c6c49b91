/**
 * To the millisecond: when a verdict comes while the directory hangs, or control does. The deadline is decided in two places: the
 * edge's end of the socket keeps it whatever control does, and control keeps it a little sooner. The clock is the test's; the
 * socket is a real one.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openConfirmOnMiss } from '../../src/compose/confirm-on-miss.js';
import { domainTableOf } from '../../src/compose/domains.js';
import { openLive } from '../../src/compose/live.js';
import { parseConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { closeServer } from '../../src/edge/bind.js';
import { replies, type Verdict } from '../../src/policy/verdict.js';
import type { Source } from '../../src/source/source.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { arraySource } from '../support/array-source.js';

let folder: string;
const closers: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  folder = mkdtempSync(join(tmpdir(), 'rollcall-deadline-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** Two sources: `quick` has 500 ms, `patient` 1,200. */
function configOf(sources: readonly ('quick' | 'patient')[]): Config {
  const ldap = { kind: 'ldap', url: 'ldaps://127.0.0.1', baseDn: 'dc=example', preset: 'openldap' };
  const json = {
    domains: {
      'example.com': { mode: 'enforce', sources },
      'old.example.com': { mode: 'enforce', aliasOf: 'example.com' },
    },
    sources: {
      quick: { ...ldap, confirm: { timeout: '500ms', perSecond: 1000 } },
      patient: { ...ldap, confirm: { timeout: '1200ms', perSecond: 1000 } },
    },
  };
  const parsed = parseConfig(JSON.stringify(json), { file: join(folder, 'config.json') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed.config, dataDir: folder };
}

/** A door's question about somebody whom no list knows. `cameAt`: when the verdict came, in ms from now. */
function askEdge(
  config: Config,
  recipient: string,
): { cameAt: () => number | undefined; verdict: Promise<Verdict> } {
  const table = domainTableOf(config);
  const miss = openConfirmOnMiss({ config, domains: () => table, log: silentLogger(), look: false });
  closers.push(() => miss.close());
  const domain = recipient.slice(recipient.indexOf('@') + 1);
  const unknown: Verdict = { ...replies.unknown, reason: 'unknown', domain, tenant: 'default' };
  const began = performance.now();
  let cameAt: number | undefined;
  const said = miss.confirm({ recipient, form: 'smtp', edge: 'policy' }, unknown);
  const verdict = Promise.resolve(said ?? unknown).then((given) => {
    cameAt = performance.now() - began;
    return given;
  });
  return { cameAt: () => cameAt, verdict };
}

/** Control that takes questions and never answers one. */
async function startMuteControl(): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await once(server.listen(join(folder, 'live.sock')), 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await closeServer(server);
  });
}

/** A working control, before a directory that never answers. Gives what was asked of it. */
async function startControl(config: Config): Promise<string[]> {
  const asked: string[] = [];
  const find: NonNullable<Source['find']> = (address, { signal }) => {
    asked.push(address);
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  };
  const live = openLive({
    config,
    log: silentLogger(),
    claim: () => Promise.resolve(),
    make: () => ({ ...arraySource({ entries: [] }), find }),
  });
  await live.listen();
  closers.push(() => live.close());
  return asked;
}

/** Waits for sockets while the test's clock stands still. */
async function inNoTime(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

it.each([
  ['one source', ['quick'], 'new@example.com', 500],
  ['parts of an address, in two domains', ['quick'], 'new+a+b@old.example.com', 500],
  ['two sources: the longer deadline, not both', ['quick', 'patient'], 'new@example.com', 1200],
] as const)('control that hangs: the list’s word at the very deadline (%s)', async (_, sources, to, ms) => {
  await startMuteControl();
  const { cameAt, verdict } = askEdge(configOf(sources), to);
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(cameAt()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(cameAt()).toBe(ms);
  expect(await verdict).toMatchObject({ action: 'reject', reason: 'unknown', code: 550 });
});

it('a directory that hangs: control gives up a twentieth sooner, so that its word is there in time', async () => {
  const config = configOf(['quick']);
  const asked = await startControl(config);
  const { cameAt, verdict } = askEdge(config, 'new@example.com');
  await inNoTime(() => asked.length === 1);
  await vi.advanceTimersByTimeAsync(474);
  expect(cameAt()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  // no time passes on the edge's clock: only control's answer can bring it
  expect(await verdict).toMatchObject({
    reason: 'unknown',
    live: [{ source: 'quick', answer: 'no-answer' }],
  });
  expect(cameAt()).toBe(475);
});
