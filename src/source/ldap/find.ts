/**
 * One address, asked of the directory at this moment, over a connection that stays open while there are questions.
 *
 * Promises: one bound connection at most, and over it one question at a time where one may take a walk through groups; it is
 * closed when nobody has asked for a minute, or at once when a question over it was stopped at its deadline (which also stops
 * the search at the server). A connection found dead is opened anew once. "None" only when every base was searched to its end as the configured account; every doubt throws.
 */
import { RollcallError } from '../../errors.js';
import type { Entry } from '../source.js';
import { connect } from './connect.js';
import { allOf } from './filter.js';
import { isSelective, type LdapSourceOptions } from './options.js';
import { planAttributes, presets } from './preset.js';
import { Scan, type Bound } from './scan.js';
import { chosenOf } from './selection.js';
import { identityOf, readServerFacts } from './server-facts.js';
import { anonymously } from './whole-read.js';

const idleMs = 60_000;
const maxFound = 100; // objects with one address; more is a filter gone wrong

export interface Finder {
  /** Throws a RollcallError `source` when there is no answer, and the signal's reason when it was too late. */
  find(address: string, signal: AbortSignal): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

export function createFinder(options: LdapSourceOptions, filter: string): Finder {
  return new KeptConnection(options, filter);
}

class KeptConnection implements Finder {
  #bound: Bound | undefined;
  #opening: Promise<Bound> | undefined;
  #idle: NodeJS.Timeout | undefined;
  #asking = 0;
  /** Settles when the last question so far is over. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly options: LdapSourceOptions,
    readonly filter: string,
  ) {}

  async find(address: string, signal: AbortSignal): Promise<readonly Entry[]> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    this.#asking += 1;
    try {
      return await this.#inTurn(signal, () => this.#ask(address, signal));
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) this.#closeWhenIdle();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const bound = this.#bound ?? (await this.#opening?.catch(() => undefined));
    this.#bound = undefined;
    await bound?.session.close();
  }

  /** Walks take many pages, and slapd keeps one paged search for each connection. */
  async #inTurn<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    if (!isSelective(this.options)) return ask();
    const mine = this.#turn.then(() => {
      signal.throwIfAborted();
      return ask();
    });
    this.#turn = mine.catch(() => undefined);
    return before(signal, mine);
  }

  async #ask(address: string, signal: AbortSignal): Promise<readonly Entry[]> {
    const kept = this.#bound;
    const bound = kept ?? (await this.#open(signal));
    try {
      return await this.#over(bound, address, signal);
    } catch (error) {
      const { lost } = bound.session;
      if (lost) this.#drop(bound);
      signal.throwIfAborted();
      // A kept connection may have died long ago without a sign of it.
      if (kept === undefined || !lost) throw error;
    }
    return this.#over(await this.#open(signal), address, signal);
  }

  async #over(bound: Bound, address: string, signal: AbortSignal): Promise<readonly Entry[]> {
    const abort = (): void => bound.session.abort('the question was stopped');
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await search(this.options, this.filter, bound, address, signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Several questions that come at once wait for one connection. */
  async #open(signal: AbortSignal): Promise<Bound> {
    this.#opening ??= open(this.options, signal).finally(() => (this.#opening = undefined));
    this.#bound = await this.#opening;
    return this.#bound;
  }

  #drop(bound: Bound): void {
    if (this.#bound === bound) this.#bound = undefined;
    bound.session.abort('the connection was given up');
  }

  #closeWhenIdle(): void {
    this.#idle = setTimeout(() => void this.close(), idleMs);
    this.#idle.unref();
  }
}

/** Rejects with the reason of the signal as soon as that aborts. */
function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function open(options: LdapSourceOptions, signal: AbortSignal): Promise<Bound> {
  const session = await connect(options, signal);
  try {
    const facts = await readServerFacts(session, options.timeLimitSeconds);
    return { session, facts, identity: await identityOf(session, facts, options.bindDn ?? '') };
  } catch (error) {
    session.abort('the connection was given up');
    throw error;
  }
}

async function search(
  options: LdapSourceOptions,
  filter: string,
  bound: Bound,
  address: string,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const scan = new Scan(options, filter, bound, {
    signal,
    problem: () => undefined,
    progress: () => undefined,
  });
  const plan = planAttributes(options.preset, options.attributes);
  const question = allOf(filter, presets[options.preset].addressFilter(address, plan));
  const entries: Entry[] = [];
  for (const baseDn of new Set(options.baseDns)) {
    for await (const found of scan.pages(baseDn, question)) {
      entries.push(...(await scan.toEntries(await chosenOf(scan, found))).entries);
      if (entries.length > maxFound) throw noAnswer(bound, `more than ${String(maxFound)} objects hold it`);
    }
  }
  const after = await identityOf(bound.session, bound.facts, options.bindDn ?? '');
  if (after !== bound.identity) throw noAnswer(bound, 'our identity changed');
  const [doubt] = [...scan.doubts(), ...anonymously(scan)];
  if (doubt !== undefined && entries.length === 0) throw noAnswer(bound, doubt);
  return entries;
}

function noAnswer({ session }: Bound, why: string): RollcallError {
  return new RollcallError('source', `${session.server}: no answer about one address: ${why}`);
}
