/**
 * The domains we answer for, each with its policy made ready: own reply texts, folded local parts, matched patterns.
 *
 * Plain options in (durations in ms, domains as A-labels), nothing of the configuration's own types. Immutable: a reload
 * makes a new table.
 */
import { createPatternMatcher } from '../address/glob.js';
import { foldLocal } from '../address/key.js';
import { replies, type Reason, type Reply } from './verdict.js';

export interface DomainOptions {
  /** A-label. */
  readonly domain: string;
  readonly tenant: string;
  readonly mode: 'observe' | 'enforce' | 'off';
  /** Names of the sources whose lists speak for it. */
  readonly sources: readonly string[];
  /** Names of the sources that are asked when no list knows an address: the domain's own mail servers. Default: none. */
  readonly callAhead?: readonly string[] | undefined;
  readonly subaddress: readonly string[];
  readonly caseSensitive: boolean;
  readonly includeSubdomains: boolean;
  /** A-label of the domain whose local parts hold here too. */
  readonly aliasOf?: string | undefined;
  readonly always: readonly string[];
  readonly patterns: readonly string[];
  readonly catchAll: boolean;
  readonly staleAfterMs: number;
  readonly whenStale: 'defer' | 'accept';
  readonly removedDeferForMs: number;
  /** Own texts, by reason. */
  readonly replies: Readonly<Partial<Record<Reason, string | undefined>>>;
}

export interface DomainPolicy extends Omit<DomainOptions, 'always' | 'patterns' | 'replies' | 'callAhead'> {
  readonly callAhead: readonly string[];
  /** No list speaks for it, only its own mail servers. */
  readonly isAskedOnly: boolean;
  readonly always: ReadonlySet<string>;
  readonly matchesPattern: (foldedLocal: string) => boolean;
  readonly hasPatterns: boolean;
  readonly replies: Readonly<Record<Reason, Reply>>;
}

export interface DomainTable {
  /** The policy that speaks for a domain (A-label), its own or that of a parent with `includeSubdomains`. */
  find(domain: string): DomainPolicy | undefined;
  readonly all: readonly DomainPolicy[];
}

export function createDomainTable(domains: readonly DomainOptions[]): DomainTable {
  const policies = new Map(domains.map((options) => [options.domain, toPolicy(options)]));
  const anyParent = domains.some((options) => options.includeSubdomains);
  const parentOf = (domain: string): DomainPolicy | undefined => {
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      const policy = policies.get(domain.slice(dot + 1));
      if (policy?.includeSubdomains === true) return policy;
    }
    return undefined;
  };
  return {
    find: (domain) => policies.get(domain) ?? (anyParent ? parentOf(domain) : undefined),
    all: [...policies.values()],
  };
}

function toPolicy(options: DomainOptions): DomainPolicy {
  return {
    ...options,
    callAhead: options.callAhead ?? [],
    isAskedOnly: options.sources.length === 0 && (options.callAhead ?? []).length > 0,
    always: new Set(options.always.map(foldLocal)),
    matchesPattern: createPatternMatcher(options.patterns.map(foldLocal)),
    hasPatterns: options.patterns.length > 0,
    replies: ownReplies(options.replies),
  };
}

function ownReplies(texts: DomainOptions['replies']): Readonly<Record<Reason, Reply>> {
  const own = { ...replies };
  for (const [reason, text] of Object.entries(texts) as [Reason, string | undefined][]) {
    if (text !== undefined) own[reason] = { ...replies[reason], text };
  }
  return own;
}
