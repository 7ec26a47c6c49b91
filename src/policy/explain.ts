/**
 * Explains a verdict to a person: the same JSON from `rollcall check` and from HTTP.
 *
 * Asks the one engine that the edges ask, and the domain's own mail servers as they do, then reads what stands behind the answer: claims, history, and how fresh each
 * list is. Changes nothing. Never shows anything of another tenant: an address in another's domain is answered as one
 * that nobody here serves.
 */
import type { LookupView } from '../lookup/reader.js';
import { claimsOf, historyOf } from '../store/sqlite/claims.js';
import type { Db } from '../store/sqlite/open.js';
import type { ChangeRecord, ClaimRecord } from '../store/store.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import { freshnessOf, type Freshness } from './freshness.js';
import {
  replies,
  type Action,
  type Confirm,
  type Decide,
  type LiveWord,
  type Question,
  type Reason,
  type Reply,
  type Verdict,
} from './verdict.js';

export interface SourceFreshness {
  readonly source: string;
  /** When its last complete read began, ISO 8601; null when it never covered the domain. */
  readonly completeAt: string | null;
  /** How many addresses it named there. */
  readonly addresses: number;
  /** Additions are held: its list is not complete. */
  readonly pending: boolean;
}

export interface HistoryEntry extends Omit<ChangeRecord, 'at'> {
  /** ISO 8601. */
  readonly at: string;
}

/** The outside contract: keys are added, never renamed. */
export interface Explanation {
  readonly address: string;
  readonly action: Action;
  readonly reason: Reason;
  readonly code: number;
  readonly status: string;
  readonly text: string;
  /** Generation of the snapshot that answered; null when there is none. */
  readonly generation: number | null;
  /** Key of the listed recipient that it matched, now or until lately; null when no list knows it. */
  readonly recipient: string | null;
  readonly claims: readonly ClaimRecord[];
  readonly wouldBe: (Reply & { readonly reason: Reason }) | null;
  readonly domain: string | null;
  readonly mode: DomainPolicy['mode'] | null;
  readonly freshness: Freshness | null;
  readonly sources: readonly SourceFreshness[];
  /** Sources of kind `smtp`: whose servers are asked when no list knows the address. */
  readonly mailServers: readonly string[];
  /** What directories said that were asked just now, because no list knows the address; empty when none was asked. */
  readonly live: readonly LiveWord[];
  readonly history: readonly HistoryEntry[];
}

export interface ExplainOptions {
  readonly decide: Decide;
  /** For `explainAsking`; absent when nobody can be asked. */
  readonly confirm?: Confirm | undefined;
  readonly domains: DomainTable;
  readonly lookup: LookupView;
  /** The directory; undefined when it cannot be read: then there are no claims and no history to show. */
  readonly db: Db | undefined;
  readonly now: number;
  /** Only what belongs to this tenant is told. */
  readonly tenant?: string | undefined;
}

const historyLimit = 20;
const listed: ReadonlySet<Reason> = new Set<Reason>([
  'known',
  'subaddress',
  'alias-domain',
  'disabled',
  'internal-only',
  'removed',
]);

/** As the edges answer: when no list knows the address, the directories behind them and its domain's own mail server are asked. */
export async function explainAsking(options: ExplainOptions, question: Question): Promise<Explanation> {
  const verdict = options.decide(question);
  const isPlain = verdict.action === 'accept' && verdict.wouldBe === undefined;
  // another tenant's servers are none of the asker's business
  if (isPlain || isForeign(options, verdict)) return explain(options, question, verdict);
  const confirmed = await options.confirm?.(question, verdict);
  return explain(options, question, confirmed ?? verdict);
}

function isForeign({ tenant }: ExplainOptions, verdict: Verdict): boolean {
  return tenant !== undefined && (verdict.tenant ?? tenant) !== tenant;
}

export function explain(
  options: ExplainOptions,
  question: Question,
  verdict = options.decide(question),
): Explanation {
  if (isForeign(options, verdict)) return foreign(options, question);
  const { action, reason, code, status, text, key, domain, tenant } = verdict;
  const policy = domain === undefined ? undefined : options.domains.find(domain);
  const known = key !== undefined && tenant !== undefined && options.db !== undefined;
  const claims = known ? claimsOf(options.db, tenant, key).filter(isOf(policy)) : [];
  const history = known ? historyOf(options.db, tenant, key, historyLimit) : [];
  // as the engine asks: an alias domain's lists are its target's; a subdomain is its own
  const asked = policy?.aliasOf ?? domainOfKey(key) ?? domain ?? '';
  return {
    address: question.recipient,
    ...{ action, reason, code, status, text },
    generation: options.lookup.generation() ?? null,
    recipient: key !== undefined && (listed.has(reason) || claims.length > 0) ? key : null,
    claims,
    wouldBe: verdict.wouldBe ?? null,
    domain: domain ?? null,
    mode: policy?.mode ?? null,
    freshness:
      policy === undefined || policy.isAskedOnly
        ? null
        : freshnessOf(options.lookup, policy, asked, options.now),
    sources: policy === undefined ? [] : sourcesOf(options.lookup, policy, asked),
    mailServers: policy?.callAhead ?? [],
    live: verdict.live ?? [],
    history: history.map((change) => ({ ...change, at: new Date(change.at).toISOString() })),
  };
}

/** Claims of sources that do not speak for the domain play no part in its verdicts. */
function isOf(policy: DomainPolicy | undefined): (claim: ClaimRecord) => boolean {
  return (claim) => policy === undefined || policy.sources.includes(claim.source);
}

function domainOfKey(key: string | undefined): string | undefined {
  return key?.slice(key.lastIndexOf('@') + 1);
}

function sourcesOf(lookup: LookupView, policy: DomainPolicy, domain: string): SourceFreshness[] {
  return policy.sources.map((source) => {
    const coverage =
      lookup.coverage(policy.tenant, source, domain) ??
      lookup.coverage(policy.tenant, source, `*.${policy.domain}`);
    return {
      source,
      completeAt: coverage === undefined ? null : new Date(coverage.completeAt).toISOString(),
      addresses: coverage?.addresses ?? 0,
      pending: coverage?.pending ?? false,
    };
  });
}

function foreign(options: ExplainOptions, question: Question): Explanation {
  return {
    address: question.recipient,
    ...replies['not-our-domain'],
    reason: 'not-our-domain',
    generation: options.lookup.generation() ?? null,
    recipient: null,
    claims: [],
    wouldBe: null,
    domain: null,
    mode: null,
    freshness: null,
    sources: [],
    mailServers: [],
    live: [],
    history: [],
  };
}
