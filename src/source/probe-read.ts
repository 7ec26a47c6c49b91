/**
 * A source tried out by reading it: for kinds that have no `probe` of their own. Reads to the end, for twenty seconds at
 * the longest, and keeps ten entries.
 */
import { messageOf } from '../errors.js';
import { drawback, probeSampleSize, wrong, well, type ProbeFinding, type ProbeReport } from './probe.js';
import type { Entry, Problem, ReadReport, Source } from './source.js';

const readForMs = 20_000;
const maxProblems = 10;

export async function probeByReading(source: Source, signal: AbortSignal): Promise<ProbeReport> {
  const problems: Problem[] = [];
  let skipped = 0;
  const reading = source.read({
    signal,
    problem: (problem) => {
      skipped += 1;
      if (problems.length < maxProblems) problems.push(problem);
    },
    progress: () => undefined,
  });
  const begun = performance.now();
  const sample: Entry[] = [];
  let entries = 0;
  for (;;) {
    const step = await reading.next();
    const tooLong = performance.now() - begun > readForMs;
    if (step.done !== true) {
      entries += step.value.length;
      sample.push(...step.value.slice(0, probeSampleSize - sample.length));
      if (!tooLong) continue;
      await reading.return({ complete: false, reasons: [], description: '' });
    }
    const report = step.done === true ? step.value : undefined;
    const seconds = report === undefined ? undefined : (performance.now() - begun) / 1000;
    const from = report === undefined ? 'and more: read for 20 s' : 'counted';
    return {
      facts: report === undefined ? [] : [{ name: 'read', value: report.description }],
      sample,
      estimate: { entries, from, exact: report !== undefined, seconds },
      findings: [...tellReport(report, entries), ...tellProblems(problems, skipped)],
    };
  }
}

function tellReport(report: ReadReport | undefined, entries: number): ProbeFinding[] {
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
