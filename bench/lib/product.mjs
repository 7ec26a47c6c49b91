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
export const openGuard = {
  removals: { percent: 100, floor: 1_000_000_000, domainPercent: 100 },
  growthPercent: 1_000_000,
};

/** What a door needs beside an address to be measured: no limit on recipients refused. */
const unlimited = { smtp: { maxRejected: 1_000_000 }, proxy: { maxRejected: 1_000_000 } };

/**
 * Writes `folder`/config.json for the given sources, with the named edges on free ports; `edges` may hold more options of
 * theirs. Returns { file, folder, dataDir, ports: { NAME: PORT } }.
 */
export async function configure(
  folder,
  { sources, domains, doors = ['smtp', 'policy'], edges = {}, ...rest },
) {
  const ports = {};
  const sections = {};
  for (const door of doors) {
    ports[door] = await freePort();
    sections[door] = { listen: `127.0.0.1:${ports[door]}`, ...unlimited[door], ...edges[door] };
  }
  const config = {
    dataDir: './data',
    domains: domains ?? { [domain]: { mode: 'enforce', sources: Object.keys(sources) } },
    sources,
    edges: sections,
    log: { mail: './mail.log' },
    ...rest,
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return { file, folder, ports, dataDir: join(folder, 'data') };
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

/** One sync that must apply everything; `full` reads everything. Returns what it printed. */
export async function sync(product, source, options) {
  const { full = false, ...rest } = options ?? {};
  const { status, json } = await rollcall(product, ['sync', source, ...(full ? ['--full'] : [])], rest);
  must(status === 0, `sync ${source} ended with ${status}: ${JSON.stringify(json)}`);
  return json;
}

export function startEdge(product) {
  const options = { port: Object.values(product.ports)[0], log: join(product.folder, 'edge.log') };
  // as deploy/rollcall-edge.service and `serve` start it
  return startServer(
    process.execPath,
    ['--max-semi-space-size=4', main, '-c', product.file, 'edge'],
    options,
  );
}

export function startControl(product) {
  return startServer(process.execPath, [main, '-c', product.file, 'control'], {
    log: join(product.folder, 'control.log'),
  });
}
