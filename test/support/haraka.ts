/**
 * A private, real Haraka for tests (scripts/peers-haraka.mjs): own configuration, queue and loopback port, one process.
 *
 *     const haraka = await startHaraka({ domains: ['example.com'], plugins: ['haraka-plugin-rollcall', …], config: { … } });
 *     ...
 *     await haraka.stop();
 *
 * The plugin is the one of integrations/haraka, linked into its node_modules as `npm install` of a folder does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { privateFolder } from './private-server.js';

const installed = fileURLToPath(new URL('../../.cache/peers/haraka/node_modules/Haraka/', import.meta.url));
const plugin = fileURLToPath(new URL('../../integrations/haraka', import.meta.url));

export const haveHaraka: boolean = isThere();

export interface HarakaOptions {
  /** Lines of config/host_list. */
  readonly domains: readonly string[];
  /** Lines of config/plugins. */
  readonly plugins: readonly string[];
  /** More files of config/, by name; lines. */
  readonly config?: Readonly<Record<string, readonly string[]>>;
  /** Plugins of the test's own: source by name. */
  readonly sources?: Readonly<Record<string, string>>;
}

export interface Haraka {
  readonly port: number;
  readonly folder: string;
  /** What it has logged, for the message of a failing test. */
  log(): string;
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export async function startHaraka(options: HarakaOptions): Promise<Haraka> {
  const folder = privateFolder('haraka');
  const port = await freePort();
  configure(folder, port, options);
  const outputFile = join(folder, 'output');
  const output = openSync(outputFile, 'a');
  const child = spawn(process.execPath, [join(installed, 'bin/haraka'), '-c', folder], {
    cwd: folder,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  children.add(child);
  const log = (): string => readFileSync(outputFile, 'utf8');
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    children.delete(child);
  };
  if (!(await listens(port, child))) {
    await end();
    throw new Error(`Haraka does not listen on port ${port}: ${log()}`);
  }
  return {
    port,
    folder,
    log,
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configure(folder: string, port: number, options: HarakaOptions): void {
  for (const name of ['config', 'plugins', 'queue', 'node_modules']) mkdirSync(join(folder, name));
  symlinkSync(plugin, join(folder, 'node_modules/haraka-plugin-rollcall'));
  // one of ours would replace it whole, and without its [message] Haraka dies on the first connection
  copyFileSync(join(installed, 'config/connection.ini'), join(folder, 'config/connection.ini'));
  const files: Record<string, readonly string[]> = {
    'smtp.ini': [`listen=127.0.0.1:${port}`, 'nodes=0'],
    'log.ini': ['[main]', 'level=NOTICE', 'timestamps=true'],
    me: ['mx.edge.test'],
    host_list: options.domains,
    plugins: options.plugins,
    ...options.config,
  };
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(folder, 'config', name), `${lines.join('\n')}\n`);
  for (const [name, source] of Object.entries(options.sources ?? {}))
    writeFileSync(join(folder, 'plugins', `${name}.js`), source);
}

async function listens(port: number, child: ChildProcess): Promise<boolean> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  return false;
}

function isThere(): boolean {
  if (existsSync(join(installed, 'bin/haraka'))) return true;
  if (process.env['CI'] === 'true')
    throw new Error('the peer Haraka is missing (npm test installs it), and with CI=true that is a failure');
  return false;
}
