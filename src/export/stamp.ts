/**
 * The stamp of a text export: the comment lines it begins with, which say what it is and what was in it. What is in place
 * is read back from the file itself, so that a file that was lost, restored or edited is seen as it is.
 *
 * Pure. The numbers have a fixed width: the lines are written before they are known, and written over once they are.
 */
import type { DomainCount } from './row.js';

export interface Stamp {
  readonly name: string;
  readonly format: string;
  readonly generation: number;
  /** ISO 8601. */
  readonly at: string;
  /** Of everything after the stamp, and of the domains. */
  readonly sha256: string;
  readonly domains: readonly DomainCount[];
}

const width = 10;
const mark = '# rollcall-export 1';

/** Lines that begin with `#`, each ended; always as long for the same domains, name, format and notes. */
export function formatStamp(stamp: Stamp, notes: readonly string[]): string {
  const total = stamp.domains.reduce((sum, { addresses }) => sum + addresses, 0);
  return [
    `${mark} ${stamp.name} ${stamp.format} generation=${pad(stamp.generation)} at=${stamp.at} addresses=${pad(total)}`,
    `# sha256 ${stamp.sha256.padEnd(64, '-')}`,
    ...stamp.domains.map(({ domain, addresses }) => `# domain ${domain} ${pad(addresses)}`),
    `# Written by \`rollcall export ${stamp.name}\`, which replaces it whole: do not edit.`,
    ...notes.map((note) => `# ${note}`),
    '',
  ].join('\n');
}

function pad(n: number): string {
  return String(n).padStart(width, '0');
}

/** Undefined when the lines are none of ours. */
export function parseStamp(text: string): Stamp | undefined {
  const [first = '', second = '', ...rest] = text.split('\n');
  const head = /^# rollcall-export 1 (\S+) (\S+) generation=(\d+) at=(\S+) /.exec(first);
  const sum = /^# sha256 ([0-9a-f]{64})$/.exec(second);
  if (head === null || sum === null) return undefined;
  const [, name = '', format = '', generation = '', at = ''] = head;
  const domains = rest.flatMap((line) => {
    const found = /^# domain (\S+) (\d+)$/.exec(line);
    return found === null ? [] : [{ domain: found[1] ?? '', addresses: Number(found[2]) }];
  });
  return { name, format, generation: Number(generation), at, sha256: sum[1] ?? '', domains };
}
