/** A source whose entries are given as a list: for tests of everything after the read. */
import type { Entry, ReadContext, ReadReport, Source } from '../../src/source/source.js';

export interface ArrayRead {
  readonly entries: readonly Entry[];
  readonly complete?: boolean;
  readonly reasons?: readonly string[];
  /** Thrown after the entries were given. */
  readonly error?: Error;
}

export function person(id: string, addresses: readonly string[], flags: Partial<Entry> = {}): Entry {
  return {
    id,
    kind: 'user',
    disabled: false,
    internalOnly: false,
    where: `entry ${id}`,
    addresses: addresses.map((value) => ({ value, attribute: 'mail' })),
    ...flags,
  };
}

/** `n` people p0@domain … p(n-1)@domain. */
export function people(n: number, domain = 'example.com', from = 0): Entry[] {
  return Array.from({ length: n }, (_, i) => person(`id-${from + i}`, [`p${from + i}@${domain}`]));
}

export function arraySource(read: ArrayRead): Source {
  return {
    async *read(context: ReadContext): AsyncGenerator<readonly Entry[], ReadReport, void> {
      for (let i = 0; i < read.entries.length; i += 500) {
        context.signal.throwIfAborted();
        yield await Promise.resolve(read.entries.slice(i, i + 500));
      }
      if (read.error !== undefined) throw read.error;
      return {
        complete: read.complete ?? true,
        reasons: read.reasons ?? [],
        description: 'a list in memory',
      };
    },
  };
}
