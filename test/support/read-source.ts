/** Reads a source to its end and keeps everything it said. */
import type { Entry, Problem, ReadReport, Source } from '../../src/source/source.js';

export interface WholeRead {
  readonly entries: readonly Entry[];
  readonly addresses: readonly string[];
  readonly problems: readonly Problem[];
  readonly report: ReadReport;
  readonly batches: readonly number[];
  readonly progress: readonly number[];
}

export interface ReadHooks {
  readonly signal?: AbortSignal;
  /** Called after each batch, with the number of entries so far. */
  readonly onBatch?: (entries: number) => void | Promise<void>;
}

export async function readWhole(source: Source, hooks: ReadHooks = {}): Promise<WholeRead> {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  const batches: number[] = [];
  const progress: number[] = [];
  const reading = source.read({
    signal: hooks.signal ?? new AbortController().signal,
    problem: (problem) => problems.push(problem),
    progress: (done) => progress.push(done),
  });
  for (;;) {
    const step = await reading.next();
    if (step.done === true) {
      const addresses = entries.flatMap((entry) => entry.addresses.map((address) => address.value));
      return { entries, addresses, problems, report: step.value, batches, progress };
    }
    entries.push(...step.value);
    batches.push(step.value.length);
    await hooks.onBatch?.(entries.length);
  }
}
