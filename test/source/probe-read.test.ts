/** A source tried out by reading it: the time it has, whatever the source does meanwhile. */
import { describe, expect, it } from 'vitest';
import { probeByReading } from '../../src/source/probe-read.js';
import type { Entry, ReadContext, ReadReport, Source } from '../../src/source/source.js';
import { people } from '../support/array-source.js';

const never = (): Promise<never> => new Promise(() => undefined);
const heeds = ({ signal }: ReadContext): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });

/** Gives so many entries, then does not come to an end. */
function slow(count: number, hang: (context: ReadContext) => Promise<never>): Source {
  return {
    async *read(context): AsyncGenerator<readonly Entry[], ReadReport, void> {
      if (count > 0) yield people(count);
      return await hang(context);
    },
  };
}

const tried = (source: Source) => probeByReading(source, new AbortController().signal, 50);

describe.each([
  ['stops when it is told to', heeds],
  ['never stops', never],
])('a source that is slow within a batch, and %s', (_, hang) => {
  it('is shown as far as it came', async () => {
    const report = await tried(slow(12, hang));
    expect(report.sample).toHaveLength(10);
    expect(report.estimate).toMatchObject({ entries: 12, exact: false });
    expect(report.findings).toMatchObject([{ level: 'ok', what: 'it can be read' }]);
  });

  it('is not said to be empty when nothing has come yet', async () => {
    const { findings } = await tried(slow(0, hang));
    expect(findings).toMatchObject([{ level: 'warn', what: 'no entry has come within 0.05 s' }]);
  });
});

it('what fails before the time is up is thrown, and an interruption too', async () => {
  const failing = slow(1, () => Promise.reject(new Error('unreadable')));
  await expect(tried(failing)).rejects.toThrow('unreadable');
  const stop = new AbortController();
  const probing = probeByReading(slow(1, never), stop.signal, 60_000);
  stop.abort(new Error('interrupted'));
  await expect(probing).rejects.toThrow('interrupted');
});
