/**
 * What is told of a list that was dropped, beside the file: for machines (JSON, the same keys as everywhere) and for people.
 */
import type { ProblemRecord, RunRecord } from '../../store/store.js';
import { detailRun } from '../../store/summary.js';
import { shown } from './names.js';

export interface DropReport {
  /** As it was dropped. */
  readonly file: string;
  readonly source: string;
  readonly at: number;
  /** Of the run, or what was done without one. */
  readonly state: string;
  readonly record: RunRecord | undefined;
  readonly problems: readonly ProblemRecord[];
  /** Why there was no run, or anything else worth saying. */
  readonly remarks: readonly string[];
}

/** Skipped lines that a report shows. */
export const mostProblems = 1000;

export function jsonReport({ file, source, at, state, record, problems, remarks }: DropReport): string {
  const body = {
    file: shown(file),
    source,
    processedAt: new Date(at).toISOString(),
    state,
    ...(record === undefined ? {} : detailRun(record)),
    remarks,
    skippedLines: problems,
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}

export function textReport(report: DropReport): string {
  const { file, source, at, state, record, problems, remarks } = report;
  const when = `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const lines = [
    `${shown(file)}: ${state}`,
    `${record === undefined ? 'Source' : `Run ${String(record.run)} of source`} ${source}, ${when}`,
    ...(record === undefined ? [] : runLines(record)),
    ...remarks,
    ...(problems.length === 0 ? [] : ['', 'Skipped:', ...problems.map(problemLine)]),
    ...missing(record, problems),
  ];
  return `${lines.map(oneLine).join('\n')}\n`;
}

function runLines(record: RunRecord): string[] {
  const { counts, reasons, notes, description, run, planHash, resolution } = record;
  const names = ['read', 'added', 'changed', 'removed', 'held', 'skipped'] as const;
  return [
    ...(description === '' ? [] : [description]),
    names.map((name) => `${String(counts[name])} ${name}`).join(', '),
    ...(planHash === null ? [] : [`Hash of the plan: ${planHash}`]),
    ...reasons.map((reason) => `! ${reason}`),
    ...notes.map((note) => `- ${note}`),
    ...(resolution === 'pending' ? [`Held changes wait for a person: \`rollcall show ${String(run)}\``] : []),
  ];
}

function problemLine({ where, reason }: ProblemRecord): string {
  return `  ${where}: ${reason}`;
}

function missing(record: RunRecord | undefined, problems: readonly ProblemRecord[]): string[] {
  if (problems.length === 0 || record === undefined || record.counts.skipped <= problems.length) return [];
  return [`  and more: \`rollcall show ${String(record.run)}\``];
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
