/**
 * A run for people: how it ended, what it did, why, and what to do next.
 */
import type { HeldRecord } from '../store/sqlite/claims.js';
import type { RunRecord } from '../store/store.js';
import { ago, clean, count, moment, plural, showKey, span } from './text.js';

/** The first lines: how it ended, and what was read. */
export function runHeading(record: RunRecord): string[] {
  const took = record.endedAt === null ? '' : ` in ${span(record.endedAt - record.startedAt)}`;
  const parent = record.parent === null ? '' : ` of run ${record.parent}`;
  const lines = [
    `Run ${record.run}, ${record.kind}${parent}${record.mode === 'changes' ? ' (changes only)' : ''} of source ${record.source}: ${stateText(record)}${took}`,
  ];
  if (record.description !== '') lines.push(`  ${clean(record.description)}`);
  lines.push(`  ${countsText(record)}`);
  for (const reason of record.reasons) lines.push(`  ! ${clean(reason)}`);
  for (const note of record.notes) lines.push(`  - ${clean(note)}`);
  return lines;
}

export function stateText(record: RunRecord): string {
  return record.resolution === null ? record.state : `${record.state}, ${record.resolution}`;
}

function countsText({ state, counts }: RunRecord): string {
  const would = state === 'planned' ? 'would change: ' : '';
  const parts = [
    `${count(counts.read)} read`,
    `${would}${count(counts.added)} added`,
    `${count(counts.changed)} changed`,
    `${count(counts.removed)} removed`,
    `${count(counts.held)} held`,
    `${count(counts.skipped)} skipped`,
  ];
  return parts.join(', ');
}

/** What to do next; empty when there is nothing. */
export function nextStep(record: RunRecord): string[] {
  const { run, source, planHash } = record;
  if (record.resolution === 'pending') {
    const hash = planHash === null ? '' : ` --hash ${planHash}`;
    return [
      `${plural(record.counts.held, 'change')} held for approval: \`rollcall show ${run}\`, then \`rollcall approve ${run}${hash}\` or \`rollcall discard ${run}\``,
    ];
  }
  if (record.state === 'planned') {
    const { added, changed, removed, held } = record.counts;
    if (added + changed + removed === 0) return ['Nothing would change.'];
    const holding = held > 0 ? `; ${count(held)} of these changes would be held for approval` : '';
    return [`Nothing was changed: this was a preview${holding}. The same without --dry-run applies it.`];
  }
  if (record.state === 'held' || record.state === 'partly-held') {
    if (record.resolution !== null) return [];
    if (record.mode === 'changes')
      return ['What is left out is seen again by the next run, and goes when nothing stands against it.'];
    return [
      `What is held cannot be approved, because the read was not complete: mend that, then sync ${source} again.`,
    ];
  }
  if (record.state === 'failed' || record.state === 'refused') {
    return ['The list in force stays as it was.'];
  }
  return [];
}

const sampleSize = 10;

/** The first held or previewed removals, with the last mail each address got when traffic knows. */
export function removalSample(
  held: readonly HeldRecord[],
  record: RunRecord,
  lastAccepted: (key: string) => number | undefined,
  now: number,
): string[] {
  const keys = [...new Set(held.filter((row) => row.op === '-').map((row) => row.key))];
  if (keys.length === 0) return [];
  const verb = record.state === 'planned' ? 'Would be removed' : 'Held removals';
  const lines = keys.slice(0, sampleSize).map((key) => {
    const at = lastAccepted(key);
    return `  ${showKey(key)}${at === undefined ? '' : `   last mail ${ago(at, now)}`}`;
  });
  return [`${verb}${keys.length > sampleSize ? ' (the first ones)' : ''}:`, ...lines];
}

export function whenText(record: RunRecord, now: number): string {
  return `${moment(record.startedAt)} (${ago(record.startedAt, now)})`;
}
