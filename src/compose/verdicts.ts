/** From the configuration to `decide`: the published list, kept open and fresh, and the domains in force. */
import { normaliseDomain } from '../address/domain.js';
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';
import { openLookup, type LookupReader } from '../lookup/reader.js';
import { lookupPath } from '../lookup/schema.js';
import { createDecide } from '../policy/decide.js';
import type { DomainTable } from '../policy/domain-table.js';
import { createReference } from '../policy/reference.js';
import type { Decide, Serves } from '../policy/verdict.js';
import type { Logger } from '../telemetry/log.js';
import { domainTableOf } from './domains.js';

export interface Verdicts {
  readonly decide: Decide;
  readonly serves: Serves;
  readonly lookup: LookupReader;
  readonly domains: () => DomainTable;
  /** The next question is answered by this configuration. */
  reload(config: Config): void;
  close(): void;
}

const refreshMs = 500;

export function openVerdicts(config: Config, log: Logger, now: () => number = Date.now): Verdicts {
  let table = domainTableOf(config);
  const lookup = openLookup({
    path: lookupPath(config.dataDir),
    onState: (state, detail) => {
      if (state === 'open') log.info({ detail }, 'recipient list open');
      else log.warn({ detail }, 'recipient list not readable: recipients are deferred');
    },
  });
  const timer = setInterval(() => lookup.refresh(), refreshMs);
  timer.unref();
  const domains = (): DomainTable => table;
  return {
    decide: createDecide({
      domains,
      lookup,
      now,
      reference: createReference,
      onFailure: createFailureLog(log, now),
    }),
    serves: (domain) => {
      const parsed = normaliseDomain(domain);
      return parsed !== undefined && table.find(parsed) !== undefined;
    },
    lookup,
    domains,
    reload(next) {
      table = domainTableOf(next);
    },
    close() {
      clearInterval(timer);
      lookup.close();
    },
  };
}

const failureLogMs = 5000;

/** A list that cannot be read fails every question: one line in five seconds says as much as thousands. */
function createFailureLog(log: Logger, now: () => number): (error: unknown) => void {
  let loggedAt = -Infinity;
  let since = 0;
  return (error) => {
    since += 1;
    if (now() - loggedAt < failureLogMs) return;
    log.error({ err: messageOf(error), questions: since }, 'lookup failed: deferred');
    loggedAt = now();
    since = 0;
  };
}
