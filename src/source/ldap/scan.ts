/**
 * One bound session at work: its searches, what they found as entries, and every doubt on the way. Whole reads, changes and
 * look-ups of one address all go through it, so that none of them takes an answer for more than it is.
 *
 * Promises: entries have all their values; a reference that was not followed, an answer that was not paged and an entry
 * without a readable id are doubts. Keeps only the first of each.
 */
import type { SearchEntry } from 'ldapts';
import type { Entry, Problem } from '../source.js';
import type { Reading } from './changes.js';
import { createMapper, toEntry, type Mapped } from './mapping.js';
import type { LdapPreset, LdapSourceOptions } from './options.js';
import { readPages } from './pager.js';
import { planAttributes, presets, type AttributePlan } from './preset.js';
import { fetchRanges } from './ranges.js';
import type { ServerFacts } from './server-facts.js';
import type { Session } from './session.js';

const maxReasons = 10;
const unreadable =
  'entries match because of their addresses and show none: this account may search for addresses, and not read them';

export interface ScanContext {
  readonly signal: AbortSignal;
  readonly problem: (problem: Problem) => void;
  readonly progress: (done: number, total?: number) => void;
  readonly listing?: boolean;
}

/** The session, what its server says of itself, and whom it takes us for. */
export interface Bound {
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly identity: string | undefined;
}

export class Scan implements Reading {
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly plan: AttributePlan;
  readonly signal: AbortSignal;
  readonly listing: boolean;
  readonly who: string;
  readonly problem: (problem: Problem) => void;
  readonly progress: (done: number, total?: number) => void;
  /** Entries of which nothing could be used. */
  withoutAddress = 0;
  readonly #bound: Bound;
  readonly #map: (entry: SearchEntry) => Mapped;
  readonly #doubts: string[] = [];
  /** Whatever the filter finds must show an address. */
  readonly #asksForAddresses: boolean;
  #withoutId = 0;
  /** Found by the addresses they have, and shown without any. */
  #blank = 0;
  #references = 0;
  /** References behind which people may be: the first of them. */
  readonly #missed = new Set<string>();
  #missedMore = 0;

  constructor(
    readonly options: LdapSourceOptions,
    readonly filter: string,
    bound: Bound,
    context: ScanContext,
  ) {
    this.#bound = bound;
    this.session = bound.session;
    this.facts = bound.facts;
    this.signal = context.signal;
    this.listing = context.listing ?? false;
    this.problem = context.problem;
    this.progress = context.progress;
    this.plan = planAttributes(options.preset, options.attributes);
    this.#asksForAddresses = filter === presets[options.preset].filter && readsAll(options.preset, this.plan);
    this.#map = createMapper(this.plan, options.respectDisabled);
    const name = bound.identity ?? '';
    const known = name === '' ? (options.bindDn ?? '') : name;
    this.who = `${bound.session.server} as ${known === '' ? 'anonymous' : known}`;
  }

  /** The same session with tallies of its own and nothing to tell: for searches that are not the read itself. */
  aside(): Scan {
    const { options, filter, signal } = this;
    return new Scan(options, filter, this.#bound, {
      signal,
      problem: () => undefined,
      progress: () => undefined,
    });
  }

  async *pages(
    baseDn: string,
    filter: string,
    attributes: readonly string[] = this.plan.request,
    scope: 'sub' | 'one' = this.options.scope,
  ): AsyncGenerator<readonly SearchEntry[], void, void> {
    const { paging } = this.facts;
    const query = { ...this.options, baseDn, filter, attributes, paging, scope };
    for await (const page of readPages(this.session, query, (reasons) => this.doubt(reasons))) {
      for (const uri of page.references) this.#refer(uri);
      yield page.entries;
    }
  }

  async toEntries(
    found: readonly SearchEntry[],
  ): Promise<{ entries: readonly Entry[]; doubts: readonly string[] }> {
    const entries: Entry[] = [];
    const doubts: string[] = [];
    for (const one of found) {
      const mapped = this.#map(one);
      if (mapped.ranges.length > 0) doubts.push(...(await this.#fetchRest(mapped)));
      const { addresses, unusable, doubtful } = mapped.values;
      this.#tell(mapped.dn, unusable);
      if (mapped.id === undefined) doubts.push(this.#skipWithoutId(mapped.dn));
      // A doubtful entry goes on without an address too: what it had before must not be taken for gone.
      else if (addresses.length > 0 || doubtful) entries.push(toEntry(mapped, mapped.id));
      if (addresses.length === 0) this.withoutAddress += 1;
      if (mapped.blank && this.#asksForAddresses) this.#blank += 1;
    }
    return { entries, doubts };
  }

  /** The id of an entry, in the form that `toEntries` gives it; undefined when it cannot be read, which is a doubt. */
  idOf(found: SearchEntry): string | undefined {
    const { id, dn } = this.#map(found);
    if (id === undefined) this.#skipWithoutId(dn);
    return id;
  }

  doubt(reasons: readonly string[]): void {
    this.#doubts.push(...reasons.slice(0, Math.max(0, maxReasons - this.#doubts.length)));
  }

  doubts(): readonly string[] {
    const reasons = [...this.#doubts];
    if (this.#blank > 0) reasons.push(`${String(this.#blank)} ${unreadable}`);
    if (this.#withoutId > 0) reasons.push(`${String(this.#withoutId)} entries have no readable id`);
    if (this.#missed.size > 0) reasons.push(this.#missedReferences());
    return reasons;
  }

  /** What a person may want to know besides who and how many. */
  remarks(): string[] {
    const references = `${String(this.#references)} references to other servers were not followed`;
    return [
      ...(this.withoutAddress > 0 ? [`${String(this.withoutAddress)} of them without an address`] : []),
      ...(this.#references > 0 ? [references] : []),
      ...(this.options.tls.verify ? [] : ['the certificate was not verified']),
    ];
  }

  async #fetchRest(mapped: Mapped): Promise<string[]> {
    const doubts = await fetchRanges(this.session, mapped, this.options.timeLimitSeconds);
    this.#tell(mapped.dn, doubts);
    this.doubt(doubts);
    return doubts;
  }

  #refer(uri: string): void {
    this.#references += 1;
    if (presets[this.options.preset].harmlessReference(uri)) return;
    if (this.#missed.size < maxReasons) this.#missed.add(uri.slice(0, 200));
    else if (!this.#missed.has(uri.slice(0, 200))) this.#missedMore += 1;
  }

  #skipWithoutId(dn: string): string {
    this.#withoutId += 1;
    const reason = `no readable ${this.plan.id}`;
    this.#tell(dn, [reason]);
    return `${dn}: ${reason}`;
  }

  #tell(where: string, reasons: readonly string[]): void {
    for (const reason of reasons) this.problem({ where, reason });
  }

  #missedReferences(): string {
    const more = this.#missedMore === 0 ? '' : ` and ${String(this.#missedMore)} more`;
    const which = `${[...this.#missed].join(', ')}${more}`;
    return `people may stand behind ${which}, which was not followed: ${presets[this.options.preset].referenceHint}`;
  }
}

/** Every attribute by which the filter of the preset finds. */
function readsAll(preset: LdapPreset, plan: AttributePlan): boolean {
  return presets[preset].addresses.every((name) => plan.addresses.includes(name));
}
