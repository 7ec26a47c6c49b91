/**
 * One export, told as a story: look at the list, see whether a file may speak for these domains now, write a new file
 * beside the old one, compare, put it in place, run the hook.
 *
 * Promises: the file in place is the old one or the new one, whole; only fresh and complete lists are exported; what a file
 * cannot say is refused, or told in `warnings`; a file is emptied or shrinks past its limit only by force. Failures are a
 * state with reasons, not exceptions, but for `conflict`: another process is at it.
 */
import { existsSync, rmSync } from 'node:fs';
import { asRollcallError, RollcallError } from '../errors.js';
import { openFrozenLookup, type FrozenLookup } from '../lookup/frozen.js';
import type { DomainPolicy, DomainTable } from '../policy/domain-table.js';
import { askedOf, hookAfter, record } from './aftermath.js';
import {
  companionOf,
  companionPath,
  foreignCompanion,
  isCompanionSame,
  writeCompanion,
} from './companion.js';
import { notFresh, swallowed, uncut, unsayable, type Unfit } from './fitness.js';
import { formats, type Format } from './formats.js';
import { guardExport } from './guard.js';
import type { ExportDeps, ExportOptions, ExportReport, ExportState } from './options.js';
import { lockPlace, realPathOf, removeStale, temporaryFor } from './place.js';
import { replaceFile } from './replace.js';
import { lockExport, writeRecord } from './state.js';
import { createTally, walk, type Tally } from './walk.js';
import { warningsOf } from './warnings.js';
import type { Written } from './writer.js';

export async function runExport(options: ExportOptions, deps: ExportDeps): Promise<ExportReport> {
  const locks = [lockExport(deps.stateDir, options.name)];
  try {
    const attempt = attemptExport(options, deps, locks);
    const hook = await hookAfter(options, deps, attempt);
    const { lapsing: _, ...report } = { ...attempt, hook: hook ?? null };
    if (deps.dryRun !== true) record(options, deps, attempt, hook);
    return report;
  } finally {
    for (const unlock of locks.reverse()) unlock();
  }
}

interface Attempt extends Omit<ExportReport, 'hook'> {
  readonly lapsing: boolean;
}

/** Adds the locks of its files to `locks`: they are held until the hook has run. */
function attemptExport(options: ExportOptions, deps: ExportDeps, locks: (() => void)[]): Attempt {
  if (!existsSync(deps.lookupFile))
    return nothing(options, null, 'deferred', ['there is no list yet'], 'Sync the sources of its domains.');
  let lookup: FrozenLookup | undefined;
  try {
    const path = realPathOf(options.path);
    if (deps.dryRun !== true) {
      for (const each of [path, ...companionPath(formats[options.format], options.path)]) {
        locks.push(lockPlace(each));
        removeStale(each);
      }
    }
    lookup = openFrozenLookup(deps.lookupFile);
    return exportFrom(lookup, path, options, deps);
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'conflict') throw error;
    const { message, hint } = asRollcallError(error);
    return nothing(options, lookup?.generation() ?? null, 'failed', [message], hint);
  } finally {
    lookup?.close();
  }
}

function exportFrom(lookup: FrozenLookup, path: string, options: ExportOptions, deps: ExportDeps): Attempt {
  const generation = lookup.generation();
  const { domains, missing } = chosenDomains(options, deps.table);
  const never = [...missing, ...unsayable(domains, deps.table), ...misread(options, domains, deps.table)];
  if (never.length > 0) return nothing(options, generation, 'refused', never.map(told), cannotHint);
  const later = notFresh(domains, lookup, deps.now);
  if (later.length > 0) return nothing(options, generation, 'deferred', later.map(told), deferredHint);
  return writeFile(lookup, path, domains, options, deps);
}

/** What the mail server makes of the file. */
function misread(
  { format: name }: ExportOptions,
  domains: readonly DomainPolicy[],
  table: DomainTable,
): Unfit[] {
  const format: Format = formats[name];
  const under = format.coversSubdomains === true ? swallowed(domains, table) : [];
  return [...under, ...uncut(domains, format.cutsAt)];
}

const cannotHint =
  'Name under "domains" of this export those that a file can speak for, use it in the mail server for these alone, and let the others ask Rollcall.';
const deferredHint =
  'The file stays as it was, and so does what the mail server says. Sync the sources of these domains.';
const guardHint =
  'The file stays as it was. Look at it with --dry-run; if it is right, run it once with --force.';

function told({ domain, why }: { readonly domain: string; readonly why: string }): string {
  return `${domain}: ${why}`;
}

function chosenDomains({ domains, tenant }: ExportOptions, table: DomainTable) {
  const all = table.all.filter((policy) => policy.tenant === tenant);
  if (domains === undefined) return { domains: all, missing: [] };
  const chosen = domains.map((name) => ({ name, policy: all.find(({ domain }) => domain === name) }));
  return {
    domains: chosen.flatMap(({ policy }) => policy ?? []),
    missing: chosen.flatMap(({ name, policy }) =>
      policy === undefined ? [{ domain: name, why: 'no such domain of this tenant is configured' }] : [],
    ),
  };
}

/** `path` is the real one. */
function writeFile(
  lookup: FrozenLookup,
  path: string,
  domains: readonly DomainPolicy[],
  options: ExportOptions,
  deps: ExportDeps,
): Attempt {
  const { name, format: formatName, maxShrinkPercent } = options;
  const format: Format = formats[formatName];
  const temporary = temporaryFor(path);
  try {
    const tally = createTally(domains, format.cutsAt === 'all' ? delimitersOf(domains) : []);
    const before = format.writer.read(path);
    const companion = companionOf(format, options.path, domains);
    const written = format.writer.write({
      temporary,
      path: options.path,
      head: {
        name,
        format: formatName,
        generation: lookup.generation(),
        at: new Date(deps.now).toISOString(),
      },
      domains,
      rows: walk(
        {
          ...{ lookup, domains, table: deps.table, tenant: options.tenant, now: deps.now },
          folding: format.folding,
        },
        tally,
      ),
      countOf: (domain) => tally.addresses.get(domain) ?? 0,
    });
    const reasons = [
      ...guardExport(before, written.stamp.domains, maxShrinkPercent),
      ...foreignCompanion(companion),
    ];
    const made = (state: ExportState): Attempt => describe(options, format, tally, written, state);
    if (reasons.length > 0 && deps.force !== true) {
      return { ...made('refused'), reasons, hint: guardHint };
    }
    const isSame =
      deps.force !== true &&
      typeof before !== 'string' &&
      isCompanionSame(companion) &&
      format.writer.isSame(path, temporary);
    if (deps.dryRun === true) return made(isSame ? 'unchanged' : 'planned');
    if (isSame) return made('unchanged');
    announce(options, deps, tally);
    // before the file itself: where there is none yet, the mail server defers
    if (companion !== undefined) writeCompanion(companion, options);
    replaceFile(temporary, path, options);
    return made('written');
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Before the file changes: should we die in between, the hook is still to be run. */
function announce(options: ExportOptions, deps: ExportDeps, tally: Tally): void {
  if (options.hook === undefined) return;
  writeRecord(deps.stateDir, options.name, {
    at: new Date(deps.now).toISOString(),
    state: 'failed',
    generation: -1,
    asked: askedOf(options),
    hook: 'pending',
    lapsing: tally.removed > 0,
    reasons: ['it was interrupted'],
  });
}

function delimitersOf(domains: readonly DomainPolicy[]): string[] {
  return [...new Set(domains.flatMap(({ subaddress }) => subaddress))];
}

function describe(
  options: ExportOptions,
  format: Format,
  tally: Tally,
  written: Written,
  state: ExportState,
): Attempt {
  const { name, format: formatName, path } = options;
  const { generation, domains } = written.stamp;
  const warnings = warningsOf({ format, tally, written });
  const lapsing = tally.removed > 0;
  return {
    name,
    state,
    format: formatName,
    path,
    generation,
    domains,
    reasons: [],
    hint: '',
    warnings,
    lapsing,
  };
}

function nothing(
  { name, format, path }: ExportOptions,
  generation: number | null,
  state: ExportState,
  reasons: readonly string[],
  hint: string,
): Attempt {
  return { name, state, format, path, generation, domains: [], reasons, hint, warnings: [], lapsing: false };
}
