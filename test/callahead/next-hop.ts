/** A real Postfix as the mail server behind: it knows ada and bob of example.com and nobody else, and can be stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findCommand } from '../support/peers.js';
import { startPostfix, type Postfix } from '../support/postfix.js';

export interface NextHop {
  readonly port: number;
  log(): string;
  /** Stops it, and keeps its place. */
  pause(): Promise<void>;
  /** Starts it again on the same port. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export const knownThere = ['ada@example.com', 'bob@example.com'];

/** `lines`: more of main.cf. */
export async function startNextHop(lines: readonly string[] = []): Promise<NextHop> {
  const map = `inline:{ ${[...knownThere, 'postmaster@example.com'].map((address) => `{ ${address} = ok }`).join(', ')} }`;
  const postfix = await startPostfix({
    domains: ['example.com'],
    check: { lines: [`relay_recipient_maps = ${map}`, ...lines] },
  });
  return {
    port: postfix.port,
    log: () => postfix.log(),
    pause: () => control(postfix, 'stop'),
    resume: () => control(postfix, 'start'),
    stop: () => postfix.stop(),
  };
}

async function control(postfix: Postfix, command: 'start' | 'stop'): Promise<void> {
  const child = spawn(findCommand('postfix') ?? 'postfix', ['-c', join(postfix.folder, 'etc'), command], {
    stdio: 'ignore',
    cwd: postfix.folder,
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`postfix ${command}: status ${status}\n${postfix.log()}`);
}
