/**
 * A source tried out by reading it: for kinds that have no `probe` of their own. Reads to the end, for twenty seconds at
 * the longest, also where a batch takes longer than that, and keeps ten entries.
 */
import { messageOf } from '../errors.js';
import { deadlineOf } from './deadline.js';
import { drawback, probeSampleSize, wrong, well, type ProbeFinding, type ProbeReport } from './probe.js';
import type { Entry, Problem, ReadReport, Source } from './source.js';

const readForMs = 20_000;
const maxProblems = 10;

export async function probeByReading(
  source: Source,
  signal: AbortSignal,
  forMs = readForMs,
): Promise<ProbeReport> {
  const problems: Problem[] = [];
  const sample: Entry[] = [];
  let skipped = 0;
  let entries = 0;
  const deadline = deadlineOf(forMs, signal);
  const begun = performance.now();
  const reading = source.read({
    signal: deadline.signal,
    problem: (problem) => {
      skipped += 1;
      if (problems.length < maxProblems) problems.push(problem);
    },
    progress: () => undefined,
  });
  const take = (batch: readonly Entry[]): void => {
    entries += batch.length;
    sample.push(...batch.slice(0, probeSampleSize - sample.length));
  };
  try {
    const whole = toTheEnd(reading, take, deadline.signal);
    // a source that heeds its signal late, or never, is not waited for
    const report = await Promise.race([whole, ended(deadline.signal)]);
    signal.throwIfAborted();
    const seconds = report === undefined ? undefined : (performance.now() - begun) / 1000;
    const from = report === undefined ? `and more: read for ${inSeconds(forMs)}` : 'counted';
    return {
      facts: report === undefined ? [] : [{ name: 'read', value: report.description }],
      sample,
      estimate: { entries, from, exact: report !== undefined, seconds },
      findings: [...tellReport(report, entries, forMs), ...tellProblems(problems, skipped)],
    };
  } finally {
    deadline.done();
  }
}

/** Undefined when it was stopped before. */
async function toTheEnd(
  reading: ReturnType<Source['read']>,
  take: (batch: readonly Entry[]) => void,
  signal: AbortSignal,
): Promise<ReadReport | undefined> {
  try {
    for (;;) {
      const step = await reading.next();
      if (step.done === true) return step.value;
      if (signal.aborted) break;
      take(step.value);
    }
    await reading.return({ complete: false, reasons: [], description: '' });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

function ended(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function inSeconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}

function tellReport(report: ReadReport | undefined, entries: number, forMs: number): ProbeFinding[] {
  if (report === undefined && entries === 0) {
    const what = `no entry has come within ${inSeconds(forMs)}`;
    return [
      drawback(what, 'A run waits longer. More than that is not known.', 'Try it by a run: rollcall sync.'),
    ];
  }
  if (report === undefined) return [well('it can be read')];
  const why = 'Nobody is removed, and age makes the list stale.';
  return [
    report.complete
      ? well('it can be read to its end')
      : wrong('the read does not count as complete', why, report.reasons.join('; ')),
    ...(entries === 0 ? [wrong('it has no entry', 'The list would be empty.', '')] : []),
  ];
}

function tellProblems(problems: readonly Problem[], skipped: number): ProbeFinding[] {
  const rest = skipped - problems.length;
  return [
    ...problems.map(({ where, reason }) => drawback(`${where}: ${reason}`, 'It cannot be used.', '')),
    ...(rest > 0 ? [drawback(`and ${String(rest)} more that cannot be used`, '', '')] : []),
  ];
}

/** What ended a probe before it could tell anything. */
export function probeFailed(error: unknown, hint: string): ProbeReport {
  return {
    facts: [],
    sample: [],
    findings: [wrong(messageOf(error), 'A run would fail, and the list stay as it was.', hint)],
  };
}
