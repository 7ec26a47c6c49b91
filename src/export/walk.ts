/**
 * The walk over the published list: every address that an export of these domains must hold, in a fixed order.
 *
 * Promises: the same verdicts as the edges, because the same `decide` is asked of every listed address; whatever it takes
 * from anybody is a row, and what it defers because it was removed lately. Throws when a verdict could not be given.
 * Takes only domains that fitness.ts found fit: no wildcard is ever a row.
 */
import { displayDomain } from '../address/domain.js';
import { foldLocal } from '../address/key.js';
import type { FrozenLookup } from '../lookup/frozen.js';
import { createDecide } from '../policy/decide.js';
import type { DomainPolicy, DomainTable } from '../policy/domain-table.js';
import { replies, type Decide, type Verdict } from '../policy/verdict.js';
import { spellingsOf } from './spellings.js';
import { variantsOf, type Folding, type Variants } from './variants.js';
import type { ExportRow } from './row.js';

export interface WalkOptions {
  readonly lookup: FrozenLookup;
  readonly table: DomainTable;
  readonly tenant: string;
  readonly domains: readonly DomainPolicy[];
  readonly now: number;
  /** What the mail server folds by itself; default: whoever reads the file folds as Rollcall does. */
  readonly folding?: Folding | undefined;
}

/** Filled in while the rows are taken. */
export interface Tally {
  /** Listed addresses by domain (A-label). */
  readonly addresses: Map<string, number>;
  /** Deferred now, unknown later: the file must be written again then. */
  removed: number;
  /** Taken from inside senders only, which a file cannot tell. */
  internalOnly: number;
  /** Listed addresses that hold a subaddress delimiter themselves: how many, and one of them. */
  delimited: number;
  /** What the mail server takes for a delimiter in every domain alike; empty: those of the domain. */
  readonly delimiters: readonly string[];
  delimitedExample: string | undefined;
  /** Addresses with more spellings than are written: how many, and one of them. */
  unspelled: number;
  unspelledExample: string | undefined;
}

export function createTally(domains: readonly DomainPolicy[], delimiters: readonly string[] = []): Tally {
  const addresses = new Map(domains.map(({ domain }) => [domain, 0]));
  return {
    ...{ addresses, removed: 0, internalOnly: 0 },
    ...{ delimited: 0, delimiters, delimitedExample: undefined },
    ...{ unspelled: 0, unspelledExample: undefined },
  };
}

export function* walk(options: WalkOptions, tally: Tally): Iterable<ExportRow> {
  const decide = decideOf(options);
  const targets = targetsOf(options.domains);
  for (const policy of options.domains) yield* alwaysRows(options, policy, tally);
  for (const key of options.lookup.keys(options.tenant)) {
    const at = key.lastIndexOf('@');
    const local = key.slice(0, at);
    for (const policy of targets.get(key.slice(at + 1)) ?? []) {
      if (isAlways(options.table, policy, local) || isNamedTwice(options, policy, key, local)) continue;
      yield* rowsOf(options, decide, policy, local, tally);
    }
  }
}

/** By domain of a key, the exported domains in which its local part holds: its own, and those that are aliases of it. */
function targetsOf(domains: readonly DomainPolicy[]): Map<string, DomainPolicy[]> {
  const targets = new Map<string, DomainPolicy[]>();
  for (const policy of domains) {
    for (const name of [policy.domain, policy.aliasOf]) {
      if (name !== undefined) targets.set(name, [...(targets.get(name) ?? []), policy]);
    }
  }
  return targets;
}

/** A local part that an alias domain lists itself comes with its own key. */
function isNamedTwice({ lookup }: WalkOptions, policy: DomainPolicy, key: string, local: string): boolean {
  const own = `${local}@${policy.domain}`;
  return key !== own && lookup.find(policy.tenant, own).length > 0;
}

/** From outside, so that addresses for inside senders only are told apart: RFC 2606 keeps `.invalid` for nobody. */
const stranger = 'stranger@outside.invalid';

function* rowsOf(
  options: WalkOptions,
  decide: Decide,
  policy: DomainPolicy,
  local: string,
  tally: Tally,
): Iterable<ExportRow> {
  const verdict = kindest(spellingsOf(options.lookup, policy, local), (spelled) =>
    decide({ recipient: `${spelled}@${policy.domain}`, form: 'internal', sender: stranger, edge: 'export' }),
  );
  const kind = kindOf(verdict);
  if (kind === undefined) return;
  if (kind === 'removed') tally.removed += 1;
  if (verdict.reason === 'internal-only') tally.internalOnly += 1;
  tally.addresses.set(policy.domain, (tally.addresses.get(policy.domain) ?? 0) + 1);
  const delimiters = tally.delimiters.length > 0 ? tally.delimiters : policy.subaddress;
  if (delimiters.some((delimiter) => local.indexOf(delimiter) > 0)) {
    tally.delimited += 1;
    tally.delimitedExample ??= `${local}@${policy.domain}`;
  }
  const { action, code, status, text } = kind === 'removed' ? verdict : replies.known;
  const reply = { action, code, status, text };
  yield* spelled({ local, domain: policy.domain, word: kind, reply }, options.folding, tally);
}

function kindOf({ action, reason }: Verdict): ExportRow['word'] | undefined {
  // taken from inside and from the null sender: who asks is not known to a file
  if (action === 'accept' || reason === 'internal-only') return 'known';
  if (action === 'reject') return undefined;
  if (reason === 'removed') return 'removed';
  throw new Error(`a listed address has the verdict ${reason}: the list cannot be exported`);
}

const rank: Record<Verdict['action'], number> = { accept: 2, defer: 1, reject: 0 };

/** A file knows no case: where local parts differ by it, the kindest spelling speaks for all. */
function kindest(spellings: readonly [string, ...string[]], ask: (spelled: string) => Verdict): Verdict {
  const [first, ...others] = spellings;
  return others.map(ask).reduce((best, next) => (rankOf(next) > rankOf(best) ? next : best), ask(first));
}

function rankOf(verdict: Verdict): number {
  return verdict.reason === 'internal-only' ? rank.accept : rank[verdict.action];
}

function* alwaysRows(
  { table, folding }: WalkOptions,
  policy: DomainPolicy,
  tally: Tally,
): Iterable<ExportRow> {
  const target = policy.aliasOf === undefined ? undefined : table.find(policy.aliasOf);
  for (const local of new Set([...policy.always, ...(target?.always ?? [])])) {
    yield* spelled({ local, domain: policy.domain, word: 'known', reply: replies.always }, folding, tally);
  }
}

function isAlways(table: DomainTable, policy: DomainPolicy, local: string): boolean {
  if (policy.always.has(local)) return true;
  return policy.aliasOf !== undefined && table.find(policy.aliasOf)?.always.has(local) === true;
}

/**
 * Mail servers turn neither label into the other, and a client with SMTPUTF8 may use either; and they take letters beyond
 * ASCII as they come.
 */
function* spelled(row: ExportRow, folding: Folding | undefined, tally: Tally): Iterable<ExportRow> {
  yield row;
  const { others, complete } = folding === undefined ? asItIs : variantsOf(row.local, folding);
  if (!complete) {
    tally.unspelled += 1;
    tally.unspelledExample ??= `${row.local}@${row.domain}`;
  }
  for (const local of others) yield { ...row, local, again: true };
  const shown = displayDomain(row.domain);
  if (shown === row.domain) return;
  const domain = foldLocal(shown);
  for (const local of [row.local, ...others]) yield { ...row, local, domain, again: true };
}

const asItIs: Variants = { others: [], complete: true };

function decideOf({ lookup, table, now }: WalkOptions): Decide {
  return createDecide({
    domains: () => table,
    lookup,
    now: () => now,
    reference: () => '',
    onFailure: (error) => {
      throw error;
    },
  });
}
