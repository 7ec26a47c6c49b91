/**
 * An LDAP source tried out: who we are there, what the server is, ten objects with their addresses, how many there are, and
 * what would go wrong in a run. For people: see source-test.md.
 *
 * Reads and nothing else; counts no further page after ten seconds. A server that cannot be used is told and the next one tried;
 * throws what a read throws when none can be. Whatever ends a whole read, or keeps it from being complete, is an error here.
 */
import type { SearchEntry } from 'ldapts';
import { asRollcallError, messageOf } from '../../errors.js';
import {
  drawback,
  type ProbeEstimate,
  type ProbeFinding,
  type ProbeReport,
  probeSampleSize,
  wrong,
} from '../probe.js';
import type { Entry } from '../source.js';
import { connect, isFinal } from './connect.js';
import type { LdapSourceOptions } from './options.js';
import { ownCountOf } from './own-count.js';
import { tellChanges } from './probe-changes.js';
import { provePaging } from './probe-paging.js';
import { tellClock, tellEncryption, tellServer } from './probe-server.js';
import { Scan } from './scan.js';
import { openSelection, type Selection } from './selection.js';
import { identityOf, readServerFacts } from './server-facts.js';
import type { Session } from './session.js';
import { anonymously, emptyBase, lacking } from './whole-read.js';

const countForMs = 10_000;
const slowMs = 3_000;
const maxProblems = 5;

export async function probeLdap(
  options: LdapSourceOptions,
  filter: string,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const { session, findings } = await connectToAny(options, signal);
  const abort = (): void => session.abort('the test was stopped');
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Probe(options, filter, session, findings).run(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    await session.close();
  }
}

/** The first server that can be used; each one before it is a finding. A wrong password is not tried at the next one. */
async function connectToAny(
  options: LdapSourceOptions,
  signal: AbortSignal,
): Promise<{ session: Session; findings: ProbeFinding[] }> {
  const findings: ProbeFinding[] = [];
  for (const [index, url] of options.urls.entries()) {
    try {
      return { session: await connect({ ...options, urls: [url] }, signal), findings };
    } catch (error) {
      const { message, hint, cause } = asRollcallError(error);
      if (index === options.urls.length - 1 || isFinal(cause)) throw error;
      findings.push(drawback(message, 'Runs use the next server in url.', hint));
    }
  }
  throw new Error('a source has at least one server');
}

class Probe {
  readonly #findings: ProbeFinding[];
  readonly #problems: { where: string; reason: string }[] = [];
  readonly #sample: Entry[] = [];
  /** Milliseconds that the first page took, and its entries. */
  #firstPage = { ms: 0, entries: 0 };

  constructor(
    readonly options: LdapSourceOptions,
    readonly filter: string,
    readonly session: Session,
    findings: readonly ProbeFinding[],
  ) {
    this.#findings = [...findings];
  }

  async run(signal: AbortSignal): Promise<ProbeReport> {
    const { options, session } = this;
    const facts = await readServerFacts(session, options.timeLimitSeconds);
    const identity = await identityOf(session, facts, options.bindDn ?? '');
    const problem = (told: { where: string; reason: string }): void => void this.#problems.push(told);
    const scan = new Scan(
      options,
      this.filter,
      { session, facts, identity },
      { signal, problem, progress: nothing },
    );
    const now = Date.now();
    const told = [tellServer(scan, identity), tellEncryption(scan, now)];
    this.#findings.push(...told.flatMap((each) => each.findings), ...tellClock(scan, now));
    const estimate = await this.#whole(scan);
    return {
      facts: [...told.flatMap((each) => each.facts), ...this.#where(scan)],
      sample: this.#sample,
      estimate,
      findings: this.#findings,
    };
  }

  /** Everything that a run does; what would end the run is told, and ends this as well. */
  async #whole(scan: Scan): Promise<ProbeEstimate | undefined> {
    try {
      scan.doubt(await lacking(scan));
      const selection = await openSelection(scan);
      await this.#takeSample(scan, selection);
      this.#findings.push(...(await provePaging(scan, selection.filter)));
      this.#findings.push(await tellChanges(scan));
      const estimate = await this.#count(scan, selection);
      this.#tellDoubts(scan, estimate);
      return estimate;
    } catch (error) {
      if (this.session.lost) throw error;
      const { hint } = asRollcallError(error);
      this.#findings.push(wrong(messageOf(error), 'A run would fail, and the list stay as it was.', hint));
      return undefined;
    }
  }

  async #takeSample(scan: Scan, selection: Selection): Promise<void> {
    const begun = performance.now();
    for (const baseDn of new Set(this.options.baseDns)) {
      let pages = 0;
      for await (const found of scan.pages(baseDn, selection.filter, selection.attributes)) {
        if (this.#firstPage.ms === 0)
          this.#firstPage = { ms: performance.now() - begun, entries: found.length };
        const { entries } = await scan.toEntries(found.filter((one) => selection.keeps(one)));
        this.#sample.push(...entries.slice(0, probeSampleSize - this.#sample.length));
        pages += 1;
        // members may stand far apart
        if (this.#sample.length === probeSampleSize || pages === 20) break;
      }
    }
    if (this.#firstPage.ms > slowMs) this.#findings.push(slow(this.#firstPage.ms));
  }

  /** Over all pages, for the time there is. */
  async #count(scan: Scan, selection: Selection): Promise<ProbeEstimate> {
    const light = this.options.members === undefined ? ['1.1'] : selection.attributes;
    const deadline = performance.now() + countForMs;
    let entries = 0;
    let seen = 0;
    const count = (found: readonly SearchEntry[]): boolean => {
      seen += found.length;
      entries += found.filter((one) => selection.keeps(one)).length;
      return performance.now() < deadline;
    };
    const ended = await this.#page(scan, selection, light, count);
    const rate = this.#firstPage.entries / Math.max(1, this.#firstPage.ms);
    const seconds = (all: number): number | undefined => (rate === 0 ? undefined : all / rate / 1000);
    if (ended) {
      await selection.end();
      return { entries, from: 'counted', exact: true, seconds: seconds(seen) };
    }
    const own = await ownCountOf(scan);
    const from =
      own === undefined ? 'and more: counted for 10 s' : 'at most: the directory counts so many objects';
    return { entries: own ?? entries, from, exact: false, seconds: seconds(own ?? seen) };
  }

  async #page(
    scan: Scan,
    selection: Selection,
    attributes: readonly string[],
    count: (found: readonly SearchEntry[]) => boolean,
  ): Promise<boolean> {
    const bases = new Set(this.options.baseDns);
    for (const baseDn of bases) {
      let isEmpty = true;
      for await (const found of scan.pages(baseDn, selection.filter, attributes)) {
        if (found.length > 0) isEmpty = false;
        if (!count(found)) return false;
      }
      if (isEmpty && bases.size > 1) scan.doubt([emptyBase(baseDn)]);
    }
    return true;
  }

  #tellDoubts(scan: Scan, { entries }: ProbeEstimate): void {
    const anonymous = new Set(anonymously(scan));
    const doubts = scan.doubts().filter((doubt) => !anonymous.has(doubt));
    for (const doubt of doubts) {
      this.#findings.push(
        wrong(doubt, 'A read would not count as complete: nobody is removed, and age makes it stale.', ''),
      );
    }
    if (entries === 0) {
      this.#findings.push(
        wrong(
          `the filter finds nobody below ${this.options.baseDns.join(' and ')}`,
          'The list would be empty, or everybody on it held for approval.',
          'Check baseDn, filter and members, and that this account may read there.',
        ),
      );
    }
    for (const { where, reason } of this.#problems.slice(0, maxProblems)) {
      this.#findings.push(drawback(`${where}: ${reason}`, 'It cannot be used.', 'Mend it in the directory.'));
    }
  }

  #where({ plan }: Scan): { name: string; value: string }[] {
    const { baseDns, scope, members } = this.options;
    return [
      { name: 'below', value: `${baseDns.join(' and ')}, ${scope === 'sub' ? 'all levels' : 'one level'}` },
      { name: 'filter', value: this.filter },
      { name: 'attributes', value: `${plan.addresses.join(', ')}; id ${plan.id}` },
      ...(members === undefined ? [] : [{ name: 'members of', value: members.of.join(' and ') }]),
    ];
  }
}

function slow(ms: number): ProbeFinding {
  return drawback(
    `the first page took ${(ms / 1000).toFixed(1)} s`,
    'The filter may ask for attributes that are not indexed there, and each run would load the server.',
    'Have the attributes of the filter indexed for presence.',
  );
}

function nothing(): void {
  // progress is of no use here
}
