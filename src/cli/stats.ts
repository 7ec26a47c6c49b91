/** `rollcall stats`: what the edges answered, and the answer behind a reference. */
import type { Command } from 'commander';
import { normaliseDomain } from '../address/domain.js';
import { RollcallError } from '../errors.js';
import type { CountRow, RejectionRow } from '../traffic/event.js';
import type { Context } from './context.js';
import { withTraffic } from './directory.js';
import type { Host } from './host.js';
import { exitStatus } from './status.js';
import { ago, clean, moment, table } from './text.js';

export interface StatsOptions {
  readonly domain?: string;
  readonly reference?: string;
}

const recent = 10;

export function registerStats(program: Command, host: Host): void {
  program
    .command('stats')
    .summary('what the edges answered')
    .description(
      'Counts of answers by domain, reason and edge, and the newest rejections; or one answer by its reference.',
    )
    .option('--domain <domain>', 'only this domain')
    .option('--reference <reference>', 'the answer with this reference, as it stands in a rejection')
    .action((options: StatsOptions, command: Command) =>
      host.run(command, (context) => stats(context, options)),
    );
}

async function stats(context: Context, options: StatsOptions): Promise<number> {
  const { config } = await context.load();
  const { reference } = options;
  if (reference !== undefined) {
    const found = await withTraffic(config, (traffic) => traffic.byReference(reference.trim().toUpperCase()));
    return showReference(context, reference, found);
  }
  const domain = options.domain === undefined ? undefined : requireDomain(config.domains, options.domain);
  const { counts, rejections } = await withTraffic(config, (traffic) => ({
    counts: summed(traffic.counts({ domain })),
    rejections: traffic.rejections({ domain, limit: recent }),
  }));
  context.answer({ counts, rejections: rejections.map(withTime) }, () =>
    statsLines(counts, rejections, context.now()),
  );
  return exitStatus.done;
}

function requireDomain(domains: Readonly<Record<string, unknown>>, text: string): string {
  const domain = normaliseDomain(text);
  if (domain !== undefined && Object.hasOwn(domains, domain)) return domain;
  throw new RollcallError('not-found', `${text} is not a configured domain`);
}

function showReference(context: Context, reference: string, found: RejectionRow | undefined): number {
  if (found === undefined) {
    throw new RollcallError('not-found', `no recent answer has the reference ${reference}`, {
      hint: 'Only the newest answers are kept; look for the reference in the mail log.',
    });
  }
  context.answer(withTime(found), () => [
    `${clean(found.address)}: ${found.code} ${found.status}, ${found.reason}${found.observed ? ' (observed only: it was accepted)' : ''}`,
    `  when    ${moment(found.at)} (${ago(found.at, context.now())})`,
    `  sender  ${clean(found.sender ?? 'not known')}`,
    `  client  ${clean(found.client ?? 'not known')}`,
    `  edge    ${found.edge}`,
    `  why     \`rollcall check ${clean(found.address)}\``,
  ]);
  return exitStatus.done;
}

function withTime(row: RejectionRow): object {
  return { ...row, at: new Date(row.at).toISOString() };
}

type Sum = Omit<CountRow, 'hour'>;

/** Hours put together, the most frequent first. */
function summed(rows: readonly CountRow[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const { hour: _hour, count, ...labels } of rows) {
    const key = JSON.stringify(Object.values(labels));
    sums.set(key, { ...labels, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

function statsLines(counts: readonly Sum[], rejections: readonly RejectionRow[], now: number): string[] {
  if (counts.length === 0) return ['No answer was counted yet.'];
  const head = ['domain', 'reason', 'action', 'edge', 'answers'];
  const rows = counts.map((row) => [
    row.domain || '(none of ours)',
    row.reason,
    row.action,
    row.edge,
    row.count,
  ]);
  if (rejections.length === 0) return [table(head, rows)];
  const newest = rejections.map((row) => [
    ago(row.at, now),
    row.address,
    `${row.code} ${row.status}`,
    row.reason,
    row.sender ?? '',
    row.client ?? '',
    row.reference,
  ]);
  return [
    table(head, rows),
    '',
    'Newest rejections and deferrals',
    table(['when', 'address', 'answer', 'reason', 'sender', 'client', 'reference'], newest),
  ];
}
