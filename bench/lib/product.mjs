/**
 * The product, used as anyone uses it: a configuration file and `node dist/main.js`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './measure.mjs';
import { freePort, startServer } from './processes.mjs';
import { domain, root } from './workload.mjs';

const main = join(root, 'dist/main.js');

/** A guard that lets a benchmark change as much as it likes. */
export const openGuard = { removals: { percent: 100, floor: 1_000_000_000 }, growthPercent: 1_000_000 };

/** Writes `folder`/config.json for the given sources, with both edges on free ports. */
export async function configure(folder, { sources, domains, ...rest }) {
  const smtpPort = await freePort();
  const policyPort = await freePort();
  const config = {
    dataDir: './data',
    domains: domains ?? { [domain]: { mode: 'enforce', sources: Object.keys(sources) } },
    sources,
    edges: {
      smtp: { listen: `127.0.0.1:${smtpPort}`, maxRejected: 1_000_000 },
      policy: { listen: `127.0.0.1:${policyPort}` },
    },
    log: { mail: './mail.log' },
    ...rest,
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return { file, folder, smtpPort, policyPort, dataDir: join(folder, 'data') };
}

/** Runs a command; returns its exit status and what it printed as JSON. */
export async function rollcall(product, args, { env = {}, onStart } = {}) {
  const child = spawn(process.execPath, [main, '-c', product.file, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  onStart?.(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const [status] = await once(child, 'close');
  return { status, json: text.trim() === '' ? undefined : JSON.parse(text) };
}

/** One sync that must apply everything. Returns what it printed. */
export async function sync(product, source, options) {
  const { status, json } = await rollcall(product, ['sync', source], options);
  must(status === 0, `sync ${source} ended with ${status}: ${JSON.stringify(json)}`);
  return json;
}

export function startEdge(product) {
  const options = { port: product.policyPort, log: join(product.folder, 'edge.log') };
  return startServer(process.execPath, [main, '-c', product.file, 'edge'], options);
}

export function startControl(product) {
  return startServer(process.execPath, [main, '-c', product.file, 'control'], {
    log: join(product.folder, 'control.log'),
  });
}
