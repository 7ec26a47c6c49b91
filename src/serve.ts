/**
 * `rollcall serve`: control and edge on one machine, each in a process of its own, started again when it dies.
 *
 * Promises: hands SIGHUP on; on SIGTERM and SIGINT asks both to end and resolves with 0 when they are gone; resolves with
 * 2 when a child refuses its configuration at the first start (the child has said why). The children notice when this
 * process is killed and end by themselves. Whatever happens to control, the edge is left alone.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bannerLines } from './compose/banner.js';
import { createLastConfig } from './compose/last-config.js';
import { listenForSignals, type ReadyMessage } from './compose/lifecycle.js';
import { openServiceLog } from './compose/logs.js';
import { supervise, type Supervised } from './compose/supervise.js';
import { loadConfig } from './config/load.js';
import { messageOf } from './errors.js';

export interface ServeOptions {
  readonly configPath: string;
  /** Where the banner goes; default: standard output. */
  readonly print?: (line: string) => void;
}

const parts = ['control', 'edge'] as const;
/** More than an edge's longest usual drain and control's grace; systemd's TimeoutStopSec is longer still. */
const stopGraceMs = 30_000;
const refusedConfig = 2;

export async function runServe({ configPath, print = printLine }: ServeOptions): Promise<number> {
  const { config } = loadConfig(configPath);
  const lifecycle = listenForSignals();
  const { log } = openServiceLog(config, 'serve');
  const ready = new Map<string, ReadyMessage>();
  const last = createLastConfig(configPath, config.dataDir);
  let bannerShown = false;
  let refuse: (status: number) => void = () => undefined;
  const refused = new Promise<number>((resolve) => (refuse = resolve));

  function onReady(message: ReadyMessage): void {
    log.info({ child: message.process, pid: message.pid, doors: message.doors }, 'child process ready');
    ready.set(message.process, message);
    if (ready.size < parts.length || bannerShown) return;
    bannerShown = true;
    const messages = [...ready.values()];
    const [domain] = Object.keys(config.domains);
    const banner = bannerLines({ configPath, ready: messages, domain, command: commandName() });
    for (const line of banner) print(line);
    const doors = messages.flatMap((each) => each.doors);
    lifecycle.ready({ type: 'ready', process: 'serve', pid: process.pid, doors });
  }

  function onEarlyDeath(status: number | null): boolean {
    if (status === refusedConfig) refuse(refusedConfig);
    return status !== refusedConfig;
  }

  function keepLast(): void {
    try {
      last.keep();
    } catch (error) {
      log.warn({ err: messageOf(error) }, 'last good configuration not kept');
    }
  }

  keepLast();
  const children: Supervised[] = parts.map((name) => {
    let isFirst = true;
    const start = (): ChildProcess => {
      const env = isFirst ? {} : last.environment;
      isFirst = false;
      return startPart(name, configPath, env);
    };
    return supervise({ name, start, onReady, onEarlyDeath, log });
  });
  lifecycle.onReload(() => {
    keepLast();
    for (const child of children) child.signal('SIGHUP');
  });
  const status = await Promise.race([lifecycle.stopped.then(() => 0), refused]);
  await Promise.all(children.map((child) => child.stop(stopGraceMs)));
  lifecycle.close();
  return status;
}

/**
 * The edge makes much short-lived garbage and keeps little: with V8's default semi-space (16 MB) it lets the process grow by
 * tens of MB before it looks. As in deploy/rollcall-edge.service.
 */
const smallHeap = ['--max-semi-space-size=4'];

function startPart(name: string, configPath: string, env: Readonly<Record<string, string>>): ChildProcess {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return fork(main, ['-c', configPath, name], {
    execArgv: [...process.execArgv, ...(name === 'edge' ? smallHeap : [])],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function commandName(): string {
  const script = process.argv[1] ?? 'rollcall';
  return script.endsWith('main.js') ? `node ${relative(process.cwd(), script)}` : 'rollcall';
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
