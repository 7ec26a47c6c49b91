/**
 * Snapshot: one whole read of a source into staging.
 *
 * Promises: every address gets the key that lookup will use; one claim per object and key; whatever cannot be used is
 * counted and told, with its place and reason. Throws what the source throws: then nothing of the read counts.
 */
import { keyOf, exactKeyOf } from '../address/key.js';
import { parseInternal, parseMailbox, type Mailbox } from '../address/mailbox.js';
import type { Entry, Problem, ReadReport, Source } from '../source/source.js';
import { claimFlags, spellingSeparator, type StagedClaim } from '../store/store.js';
import type { Scope } from './scope.js';

export interface SnapshotOptions {
  readonly source: Source;
  readonly scope: Scope;
  /** Takes the claims of a batch, and the objects some of whose values could not be used. */
  readonly stage: (claims: readonly StagedClaim[], doubtful: readonly string[]) => void;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => void;
  /** Called after each batch; throws when the run must stop. */
  readonly heartbeat: () => void;
  /** How many problems are kept; all are counted. */
  readonly maxProblems: number;
}

export interface Snapshot {
  readonly read: number;
  readonly skipped: number;
  /** Addresses staged, by the entry of the scope they count for. */
  readonly byDomain: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
  readonly report: ReadReport;
}

const maxForeignDomains = 1000;

/** Counts what is skipped, keeping the first problems and the foreign domains. */
class Tally {
  read = 0;
  skipped = 0;
  readonly problems: Problem[] = [];
  readonly byDomain = new Map<string, number>();
  private readonly foreign = new Map<string, number>();
  private foreignCount = 0;

  constructor(private readonly maxProblems: number) {}

  problem(problem: Problem): void {
    this.skipped++;
    if (this.problems.length < this.maxProblems) this.problems.push(problem);
  }

  outside(domain: string): void {
    this.skipped++;
    this.foreignCount++;
    const known = this.foreign.get(domain);
    if (known !== undefined || this.foreign.size < maxForeignDomains)
      this.foreign.set(domain, (known ?? 0) + 1);
  }

  claimed(domain: string): void {
    this.byDomain.set(domain, (this.byDomain.get(domain) ?? 0) + 1);
  }

  notes(): string[] {
    if (this.foreignCount === 0) return [];
    const top = [...this.foreign].sort((a, b) => b[1] - a[1]).slice(0, 10);
    const more = this.foreign.size > top.length ? ', …' : '';
    const list = top.map(([domain, n]) => `${domain} ${n}`).join(', ');
    return [`${this.foreignCount} addresses skipped: not in a domain of this tenant (${list}${more})`];
  }
}

export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const tally = new Tally(options.maxProblems);
  const reader = options.source.read({
    signal: options.signal,
    progress: options.progress,
    problem: (problem) => {
      tally.problem(problem);
    },
  });
  for (;;) {
    const step = await reader.next();
    if (step.done === true) {
      const { read, skipped, byDomain, problems } = tally;
      return { read, skipped, byDomain, problems, notes: tally.notes(), report: step.value };
    }
    tally.read += step.value.length;
    const staged = step.value.map((entry) => ({ entry, ...claimsOf(entry, options.scope, tally) }));
    options.stage(
      staged.flatMap(({ claims }) => claims),
      staged.filter(({ doubtful }) => doubtful).map(({ entry }) => entry.id),
    );
    options.heartbeat();
  }
}

interface EntryClaims {
  readonly claims: readonly StagedClaim[];
  readonly doubtful: boolean;
}

/** The claims of one entry: each key once, under the first attribute that names it, with every spelling of it. */
function claimsOf(entry: Entry, scope: Scope, tally: Tally): EntryClaims {
  const claims = new Map<string, StagedClaim>();
  const flags =
    (entry.disabled ? claimFlags.disabled : 0) | (entry.internalOnly ? claimFlags.internalOnly : 0);
  let doubtful = entry.doubtful ?? false;
  for (const { value, attribute } of entry.addresses) {
    const mailbox = mailboxOf(value);
    if (mailbox === undefined) {
      tally.problem({
        where: entry.where,
        reason: `${attribute}: "${value.slice(0, 100)}" is not an address`,
      });
      doubtful = true;
      continue;
    }
    const covered = scope.coveredBy(mailbox.domain);
    if (covered === undefined) {
      tally.outside(mailbox.domain);
      continue;
    }
    const key = keyOf(mailbox);
    const exact = exactKeyOf(mailbox);
    const known = claims.get(key);
    if (known === undefined) {
      const spelling = exact === key ? null : exact;
      claims.set(key, { key, object: entry.id, attribute, kind: entry.kind, flags, spelling });
      tally.claimed(covered);
    } else {
      claims.set(key, { ...known, spelling: withSpelling(known, exact) });
    }
  }
  return { claims: [...claims.values()], doubtful };
}

/** Directories hold local parts with spaces without the quotes that RFC 5321 wants; nothing else is guessed at. */
function mailboxOf(value: string): Mailbox | undefined {
  const parsed = parseMailbox(value);
  if (parsed.ok) return parsed.mailbox;
  if (!/^[^\s@<>()",;:[\]\\][^@<>()",;:[\]\\]*@[^@]+$/.test(value)) return undefined;
  const internal = parseInternal(value);
  return internal.ok ? internal.mailbox : undefined;
}

function withSpelling({ key, spelling }: StagedClaim, exact: string): string | null {
  const spellings = new Set([...(spelling?.split(spellingSeparator) ?? [key]), exact]);
  return spellings.size === 1 && spellings.has(key) ? null : [...spellings].sort().join(spellingSeparator);
}
