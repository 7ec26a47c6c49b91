/**
 * The source `ldap`: OpenLDAP, Active Directory, 389 Directory Server.
 *
 * Promises: one bound connection for the whole read; `complete` only when every base was paged to its final cookie as the
 * configured account, every entry had a readable id and all its values, and nothing stood behind a reference that was not
 * followed. A failure of the server, the network or the limits throws; nothing is retried in the middle.
 * Refuses nothing by itself about what addresses mean: the sync derives their keys.
 */
import { FilterParser } from 'ldapts';
import { messageOf, RollcallError } from '../../errors.js';
import type { Entry, ReadContext, ReadReport, Source } from '../source.js';
import { connect } from './connect.js';
import { createMapper, toEntry, type Mapped } from './mapping.js';
import type { LdapSourceOptions } from './options.js';
import { readPages, type Page, type PagedQuery } from './pager.js';
import { planAttributes, presets } from './preset.js';
import { fetchRanges } from './ranges.js';
import { identityOf, readServerFacts } from './server-facts.js';
import type { Session } from './session.js';

const maxBatch = 1000;
const maxReasons = 10;

/** Throws a RollcallError `config` when the filter cannot be parsed. */
export function createLdapSource(options: LdapSourceOptions): Source {
  const filter = checkedFilter(options);
  return { read: (context) => read(options, filter, context) };
}

async function* read(
  options: LdapSourceOptions,
  filter: string,
  context: ReadContext,
): AsyncGenerator<readonly Entry[], ReadReport, void> {
  context.signal.throwIfAborted();
  const session = await connect(options, context.signal);
  const abort = (): void => session.abort('the run was stopped');
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    return yield* new Reading(options, filter, session, context).run();
  } catch (error) {
    context.signal.throwIfAborted();
    throw error;
  } finally {
    context.signal.removeEventListener('abort', abort);
    await session.close();
  }
}

/** One read: the tallies that end up in its report. */
class Reading {
  readonly #map: (entry: Page['entries'][number]) => Mapped;
  readonly #doubts: string[] = [];
  #done = 0;
  #references = 0;
  /** References behind which people may be: the first of them. */
  readonly #missed = new Set<string>();
  #missedMore = 0;
  #withoutId = 0;
  #withoutAddress = 0;

  constructor(
    readonly options: LdapSourceOptions,
    readonly filter: string,
    readonly session: Session,
    readonly context: ReadContext,
  ) {
    this.#map = createMapper(planAttributes(options.preset, options.attributes), options.respectDisabled);
  }

  async *run(): AsyncGenerator<readonly Entry[], ReadReport, void> {
    const { session, options } = this;
    const bindDn = options.bindDn ?? '';
    const facts = await readServerFacts(session, options.timeLimitSeconds);
    const before = await identityOf(session, facts, bindDn);
    for (const baseDn of new Set(options.baseDns)) yield* this.#readBase(baseDn, facts.paging);
    const after = await identityOf(session, facts, bindDn);
    if (before !== after)
      throw new RollcallError('source', `${session.server}: our identity changed during the read`);
    if (bindDn === '')
      this.#doubts.push('read anonymously, and a directory may hide people from that: set bindDn');
    return this.#report(before);
  }

  async *#readBase(
    baseDn: string,
    paging: boolean | undefined,
  ): AsyncGenerator<readonly Entry[], void, void> {
    const { filter, options } = this;
    const attributes = planAttributes(options.preset, options.attributes).request;
    const query: PagedQuery = { ...options, baseDn, filter, attributes, paging };
    const pages = readPages(this.session, query);
    const before = this.#done;
    for (;;) {
      const page = await pages.next();
      if (page.done === true) {
        this.#doubts.push(...page.value.doubts);
        // A base that this account may no longer see looks just like an empty one.
        if (this.#done === before && new Set(options.baseDns).size > 1)
          this.#doubts.push(`${baseDn} gave no entry: if it is empty for good, take it out of baseDn`);
        return;
      }
      for (const uri of page.value.references) this.#refer(uri);
      const entries = await this.#entriesOf(page.value);
      for (let at = 0; at < entries.length; at += maxBatch) yield entries.slice(at, at + maxBatch);
    }
  }

  async #entriesOf(page: Page): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const found of page.entries) {
      const mapped = this.#map(found);
      if (mapped.ranges.length > 0) await this.#fetchRest(mapped);
      const { addresses, unusable, doubtful } = mapped.values;
      this.#tell(mapped.dn, unusable);
      if (mapped.id === undefined) this.#skipWithoutId(mapped.dn);
      // A doubtful entry goes on without an address too: what it had before must not be taken for gone.
      else if (addresses.length > 0 || doubtful) entries.push(toEntry(mapped, mapped.id));
      if (addresses.length === 0) this.#withoutAddress += 1;
    }
    this.#done += page.entries.length;
    this.context.progress(this.#done);
    return entries;
  }

  async #fetchRest(mapped: Mapped): Promise<void> {
    const doubts = await fetchRanges(this.session, mapped, this.options.timeLimitSeconds);
    this.#tell(mapped.dn, doubts);
    this.#doubts.push(...doubts.slice(0, Math.max(0, maxReasons - this.#doubts.length)));
  }

  #refer(uri: string): void {
    this.#references += 1;
    if (presets[this.options.preset].harmlessReference(uri)) return;
    if (this.#missed.size < maxReasons) this.#missed.add(uri.slice(0, 200));
    else if (!this.#missed.has(uri.slice(0, 200))) this.#missedMore += 1;
  }

  #skipWithoutId(dn: string): void {
    this.#withoutId += 1;
    const id = planAttributes(this.options.preset, this.options.attributes).id;
    this.#tell(dn, [`no readable ${id}`]);
  }

  #tell(where: string, reasons: readonly string[]): void {
    for (const reason of reasons) this.context.problem({ where, reason });
  }

  #report(identity: string | undefined): ReadReport {
    const { options, session } = this;
    const reasons = [...this.#doubts];
    if (this.#withoutId > 0) reasons.push(`${String(this.#withoutId)} entries have no readable id`);
    const references = `${String(this.#references)} references to other servers were not followed`;
    if (this.#missed.size > 0) reasons.push(this.#missedReferences());
    const who = identity === undefined || identity === '' ? (options.bindDn ?? '') : identity;
    const parts = [
      `${session.server} as ${who === '' ? 'anonymous' : who}`,
      `${String(this.#done)} entries below ${options.baseDns.join(' and ')}`,
      ...(this.#withoutAddress > 0 ? [`${String(this.#withoutAddress)} of them without an address`] : []),
      ...(this.#references > 0 ? [references] : []),
      ...(options.tls.verify ? [] : ['the certificate was not verified']),
    ];
    return { complete: reasons.length === 0, reasons, description: parts.join(', ') };
  }

  #missedReferences(): string {
    const more = this.#missedMore === 0 ? '' : ` and ${String(this.#missedMore)} more`;
    const which = `${[...this.#missed].join(', ')}${more}`;
    return `people may stand behind ${which}, which was not followed: ${presets[this.options.preset].referenceHint}`;
  }
}

/** The filter with the white space between its parts taken out: ldapts refuses it there, and people write it. */
function checkedFilter(options: LdapSourceOptions): string {
  const filter = (options.filter ?? presets[options.preset].filter)
    .trim()
    .replace(/\)\s+(?=[()])/g, ')')
    .replace(/\(\s*([&|!])\s*\(/g, '($1(');
  try {
    FilterParser.parseString(filter);
    return filter;
  } catch (error) {
    const where = `source ${options.name}: the filter ${filter} cannot be read`;
    throw new RollcallError('config', `${where}: ${messageOf(error)}`, { cause: error });
  }
}
