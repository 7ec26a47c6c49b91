/**
 * The property of changes: after any life of the directory, who followed its changes has what who reads it whole has, and what
 * the server's own ldapsearch lists.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { Source } from '../../src/source/source.js';
import { addressesOf, Follower } from './follow-source.js';
import { findCommand } from './peers.js';
import { readWhole } from './read-source.js';
import type { Churn } from './churn.js';

export interface Life {
  readonly churn: Churn;
  readonly source: Source;
  readonly modify: (ldif: string) => Promise<void>;
  /** Arguments of ldapsearch: server, account, base, filter and the attributes with addresses. */
  readonly search: readonly string[];
  readonly rounds: number;
  readonly changesPerRound: number;
}

/** Returns how often everything had to be read. */
export async function liveThrough(life: Life): Promise<number> {
  const { churn, source } = life;
  const follower = new Follower(source);
  await follower.readWhole();
  for (let round = 1; round <= life.rounds; round += 1) {
    await life.modify(churn.changes(life.changesPerRound));
    const listing = round % 3 === 0 || round === life.rounds;
    await follower.follow({ listing });
    // Without a listing those who left are still there; nobody who is there may be missing.
    const [have, want] = [follower.addresses(), churn.addresses()];
    if (listing) expect(have).toEqual(want);
    else {
      expect(missing(want, have)).toEqual([]);
      expect(missing(have, want).filter((address) => !churn.hasLeft(address))).toEqual([]);
    }
  }
  const { entries } = await readWhole(source);
  expect(follower.addresses()).toEqual(addressesOf(entries));
  expect(follower.addresses()).toEqual(await ownListing(life.search));
  await source.close?.();
  return follower.wholeReads;
}

function missing(wanted: readonly string[], have: readonly string[]): string[] {
  const known = new Set(have);
  return wanted.filter((address) => !known.has(address));
}

async function ownListing(args: readonly string[]): Promise<string[]> {
  const command = findCommand('ldapsearch') ?? 'ldapsearch';
  const child = spawn(command, ['-LLL', '-x', '-o', 'ldif-wrap=no', '-E', 'pr=500/noprompt', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  expect(status).toBe(0);
  return [...output.matchAll(/^mail\w*: (.*@.*)$/gim)].map(([, address = '']) => address).sort();
}
