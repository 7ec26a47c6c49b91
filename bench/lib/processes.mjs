/**
 * Servers of a benchmark: started as processes of their own, ended by id when the benchmark ends, however it ends.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A port of the loopback interface that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a process whose output goes to `log`, and waits until `port` takes connections. */
export async function startServer(command, args, { port, log, env = {}, cwd }) {
  const out = log === undefined ? 'ignore' : openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env }, cwd });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const deadline = performance.now() + 60_000;
  while (port !== undefined && !(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${args.at(0) ?? command} ended: ${tail(log)}`);
    if (performance.now() > deadline) throw new Error(`${command} did not open port ${port}: ${tail(log)}`);
    await delay(20);
  }
  return child;
}

export async function stopServer(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}

async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function tail(log) {
  return log === undefined ? 'no log' : readFileSync(log, 'utf8').slice(-2000);
}

/** A line of /proc/PID/status in MB: `VmRSS` now, `VmHWM` at its highest, `RssAnon` without files mapped into memory. */
export function memoryMb(pid, field) {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line[1]) / 1024;
}
