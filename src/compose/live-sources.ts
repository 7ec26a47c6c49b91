/**
 * Where a live question leads: from the name of a source and an address to a search in the directory.
 *
 * Promises: only a configured source that may be asked, about an address of a domain of its own tenant that names it; an entry
 * counts only when it holds the very address, by the functions of the sync, inside the tenant's scope. Whatever a directory
 * answers besides makes nobody known. A source is made when it is first asked, and anew after it failed, so that a new
 * password or certificate needs no restart; but not after a failure that passes by itself.
 */
import { keyOf, exactKeyOf } from '../address/key.js';
import { parseInternal } from '../address/mailbox.js';
import type { Config } from '../config/schema.js';
import { RollcallError } from '../errors.js';
import type { LiveQuestion } from '../live/answer.js';
import type { Found, Route } from '../live/guarded-source.js';
import { PassingFailure } from '../source/passing-failure.js';
import type { Entry, Source } from '../source/source.js';
import { claimsOf } from '../sync/claims.js';
import { Tally } from '../sync/tally.js';
import type { DomainTable } from '../policy/domain-table.js';
import type { Scope } from '../sync/scope.js';
import { domainTableOf, scopeOf } from './domains.js';
import { liveOptionsOf } from './live-options.js';
import { sourceOf } from './sources/sources.js';

export interface LiveSourcesOptions {
  readonly config: Config;
  /** Has entries claimed by a source's list. */
  readonly claim: (source: string, entries: readonly Entry[]) => void;
  /** Default: as for a sync. */
  readonly make?: (config: Config, source: string) => Source;
}

export interface LiveSources {
  readonly route: (question: LiveQuestion) => Route | undefined;
  /** Every source is made anew when it is asked next. */
  reload(config: Config): void;
  /** Closes connections, once nobody waits on them. */
  close(): void;
}

interface Made {
  readonly source: Source;
  asking: number;
  isDropped: boolean;
}

interface InForce {
  readonly config: Config;
  readonly domains: DomainTable;
}

export function createLiveSources({ config, claim, make = sourceOf }: LiveSourcesOptions): LiveSources {
  let current = inForce(config);
  const made = new Map<string, Made>();

  function route({ source: name, address }: LiveQuestion): Route | undefined {
    const { config, domains } = current;
    const options = liveOptionsOf(config, name);
    const parsed = parseInternal(address);
    if (options === undefined || !parsed.ok) return undefined;
    const { mailbox } = parsed;
    const policy = domains.find(mailbox.domain);
    if (policy === undefined || policy.mode === 'off') return undefined;
    if (policy.tenant !== options.tenant || !policy.sources.includes(name)) return undefined;
    const key = keyOf(mailbox);
    const { perSecond, timeoutMs, negativeForMs, tenant } = options;
    return {
      key: policy.caseSensitive ? exactKeyOf(mailbox) : key,
      domain: policy.domain,
      ...{ perSecond, timeoutMs, negativeForMs },
      find: async (signal) => {
        const entries = await ask(name, address, signal);
        return foundIn(entries, key, scopeOf(config, tenant), (holders) => claim(name, holders));
      },
    };
  }

  async function ask(name: string, address: string, signal: AbortSignal): Promise<readonly Entry[]> {
    const one = madeOf(name);
    one.asking += 1;
    try {
      if (one.source.find === undefined)
        throw new RollcallError('source', 'it cannot be asked about one address');
      return await one.source.find(address, { signal });
    } catch (error) {
      // a service that throttles is not asked for a new connection and a new token besides
      if (!signal.aborted && !(error instanceof PassingFailure)) drop(name, one);
      throw error;
    } finally {
      one.asking -= 1;
      closeUnused(one);
    }
  }

  function madeOf(name: string): Made {
    let one = made.get(name);
    if (one === undefined) {
      one = { source: make(current.config, name), asking: 0, isDropped: false };
      made.set(name, one);
    }
    return one;
  }

  function drop(name: string, one: Made): void {
    if (made.get(name) === one) made.delete(name);
    one.isDropped = true;
  }

  function close(): void {
    for (const [name, one] of made) {
      drop(name, one);
      closeUnused(one);
    }
  }

  return {
    route,
    reload(next) {
      current = inForce(next);
      close();
    },
    close,
  };
}

function inForce(config: Config): InForce {
  return { config, domains: domainTableOf(config) };
}

function closeUnused({ source, asking, isDropped }: Made): void {
  if (isDropped && asking === 0) void source.close?.().catch(() => undefined);
}

/** Throws when an entry that may hold the address could not be read to its end. */
function foundIn(
  entries: readonly Entry[],
  key: string,
  scope: Scope,
  claim: (holders: readonly Entry[]) => void,
): Found {
  const seen = entries.map((entry) => {
    const { claims, doubtful } = claimsOf(entry, scope, new Tally(0));
    return { entry, doubtful, own: claims.filter((each) => each.key === key) };
  });
  const holders = seen.filter(({ own }) => own.length > 0);
  if (holders.length === 0 && seen.some(({ doubtful }) => doubtful))
    throw new RollcallError('source', 'an entry that was found has a value that cannot be used');
  return {
    claims: holders.flatMap(({ own }) => own.map(({ flags, spelling }) => ({ flags, spelling }))),
    claim: () => claim(holders.map(({ entry }) => entry)),
  };
}
