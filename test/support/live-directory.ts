/** A directory in memory that tells its changes: a stand-in for what a real one may do to a run, faults included. */
import type {
  Change,
  ChangesReport,
  Entry,
  ReadContext,
  ReadReport,
  Source,
} from '../../src/source/source.js';
import { person } from './array-source.js';

export class LiveDirectory {
  readonly entries = new Map<string, Entry>();
  readonly #log: Change[] = [];
  /** Deletions are not told: only a listing shows them. */
  silentDeletions = false;
  doubts: string[] = [];
  proof = true;
  complete = true;
  ownCount: number | undefined;
  error: Error | undefined;
  /** How it was asked, in order. */
  readonly asked: string[] = [];

  put(id: string, ...addresses: string[]): void {
    this.putEntry(person(id, addresses));
  }

  putEntry(entry: Entry): void {
    this.entries.set(entry.id, entry);
    this.#log.push({ kind: 'entry', entry });
  }

  delete(id: string): void {
    this.entries.delete(id);
    if (!this.silentDeletions) this.#log.push({ kind: 'gone', id, where: id });
  }

  source(): Source {
    return {
      read: () => this.#read(),
      changes: (context, cursor) => this.#changes(context, cursor),
    };
  }

  async *#read(): AsyncGenerator<readonly Entry[], ReadReport, void> {
    this.asked.push('all');
    const cursor = String(this.#log.length);
    if (this.error !== undefined) throw this.error;
    yield await Promise.resolve([...this.entries.values()]);
    const { complete, ownCount } = this;
    return { complete, reasons: complete ? [] : ['cut short'], description: 'all', cursor, ownCount };
  }

  async *#changes(
    { listing }: ReadContext,
    cursor: string,
  ): AsyncGenerator<readonly Change[], ChangesReport, void> {
    this.asked.push(listing === true ? 'changes and ids' : 'changes');
    if (this.error !== undefined) throw this.error;
    yield await Promise.resolve(this.#log.slice(Number(cursor)));
    if (listing === true) yield [{ kind: 'listing', ids: [...this.entries.keys()] }];
    const { doubts, proof } = this;
    return {
      doubts,
      proof,
      listed: listing === true,
      cursor: String(this.#log.length),
      description: 'changes',
    };
  }
}
