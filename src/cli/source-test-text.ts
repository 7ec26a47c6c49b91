/** What trying a source out has shown, for people. */
import type { ProbeEstimate, ProbeFinding, ProbeReport } from '../source/probe.js';
import type { Entry } from '../source/source.js';
import { clean, count, plural } from './text.js';

const nameWidth = 12;
/** Of one entry; a group may have hundreds. */
const maxAddresses = 5;

export function probeLines(name: string, kind: string, report: ProbeReport): string[] {
  const { facts, estimate, sample, findings } = report;
  const of = (level: ProbeFinding['level']): number => findings.filter((each) => each.level === level).length;
  return [
    `Source ${name}, ${kind}`,
    ...facts.map((fact) => `  ${fact.name.padEnd(nameWidth)}${clean(fact.value)}`),
    ...(estimate === undefined ? [] : [`  ${'entries'.padEnd(nameWidth)}${estimateText(estimate)}`]),
    ...(sample.length === 0
      ? []
      : ['', `The first ${plural(sample.length, 'object')}:`, ...sample.flatMap(entryLines)]),
    '',
    ...findings.flatMap(findingLines),
    `${plural(of('error'), 'error')}, ${plural(of('warn'), 'warning')}, ${count(of('ok'))} well.`,
  ];
}

function estimateText({ entries, from, exact, seconds }: ProbeEstimate): string {
  const about = exact ? '' : 'about ';
  const time = seconds === undefined ? '' : `; a whole read takes about ${timeText(seconds)}`;
  return `${about}${count(entries)}, ${clean(from)}${time}`;
}

function timeText(seconds: number): string {
  if (seconds < 1) return '1 s';
  return seconds < 120 ? `${count(Math.ceil(seconds))} s` : `${count(Math.ceil(seconds / 60))} min`;
}

function entryLines({ where, kind, disabled, internalOnly, addresses }: Entry): string[] {
  const flags = [kind, ...(disabled ? ['disabled'] : []), ...(internalOnly ? ['internal only'] : [])];
  const more = addresses.length - maxAddresses;
  return [
    `  ${clean(where)}  (${flags.join(', ')})`,
    ...addresses
      .slice(0, maxAddresses)
      .map(({ value, attribute }) => `    ${clean(value)}  (${clean(attribute)})`),
    ...(more > 0 ? [`    and ${count(more)} more`] : []),
  ];
}

function findingLines({ level, what, why, mend }: ProbeFinding): string[] {
  return [
    `${level.padEnd(5)}  ${clean(what)}`,
    ...(why === '' ? [] : [`         why: ${clean(why)}`]),
    ...(mend === '' ? [] : [`        mend: ${clean(mend)}`]),
  ];
}
