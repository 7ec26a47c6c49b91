/** The databases: whole, of this version, and lookup.db up to the directory; plans that wait, tokens that are missing. */
import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { lookupState } from '../../compose/lookup-state.js';
import type { Config } from '../../config/schema.js';
import { messageOf } from '../../errors.js';
import { openLookup } from '../../lookup/reader.js';
import { lookupPath } from '../../lookup/schema.js';
import { findSource } from '../../store/sqlite/catalog.js';
import { generationOf } from '../../store/sqlite/meta.js';
import { newestHold } from '../../store/sqlite/held.js';
import { directoryPath, openDirectoryReader, type Db } from '../../store/sqlite/open.js';
import { listRuns } from '../../store/sqlite/run-records.js';
import { listTokens } from '../../store/sqlite/tokens.js';
import { ago } from '../text.js';
import { error, ok, warn, type Finding } from './finding.js';

/** The directory, when it can be read, and what was found about it. */
export function openForDoctor(config: Config): { db: Db | undefined; findings: Finding[] } {
  const path = directoryPath(config.dataDir);
  if (!existsSync(path)) {
    const why = 'No list was ever loaded: everything unknown is deferred.';
    return {
      db: undefined,
      findings: [
        warn(
          'directory.db',
          'it is not there yet',
          why,
          'Run `rollcall serve`, or `rollcall sync SOURCE` once.',
        ),
      ],
    };
  }
  try {
    return { db: openDirectoryReader(path), findings: checkIntegrity('directory.db', path, restore) };
  } catch (cause) {
    return {
      db: undefined,
      findings: [error('directory.db', messageOf(cause), 'It holds the truth.', restore)],
    };
  }
}

const restore = 'Stop Rollcall and restore it from a backup.';

function checkIntegrity(name: string, path: string, mend: string): Finding[] {
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const result = String(db.pragma('quick_check(5)', { simple: true }));
      return result === 'ok'
        ? [ok(name, 'it is whole')]
        : [error(name, `it is damaged: ${result}`, 'Lists may be wrong.', mend)];
    } finally {
      db.close();
    }
  } catch (cause) {
    return [error(name, `it cannot be read: ${messageOf(cause)}`, 'Lists may be wrong.', mend)];
  }
}

export function checkLookup(config: Config, db: Db | undefined): Finding[] {
  const path = lookupPath(config.dataDir);
  const rebuild =
    'Restart control: it builds lookup.db anew. Or delete lookup.db and run `rollcall sync SOURCE`.';
  const without = 'The edges answer out of it; without it everything is deferred.';
  if (!existsSync(path))
    return db === undefined ? [] : [error('lookup.db', 'it is not there', without, rebuild)];
  const damage = checkIntegrity('lookup.db', path, rebuild);
  if (damage.some(({ level }) => level === 'error') || db === undefined) return damage;
  const lookup = openLookup({ path });
  try {
    const generation = lookup.generation();
    const truth = generationOf(db);
    if (generation === undefined)
      return [...damage, error('lookup.db', 'it cannot be used', without, rebuild)];
    if (lookupState(path, directoryPath(config.dataDir)) === 'current')
      return [...damage, ok('lookup.db', `generation ${generation}, as directory.db`)];
    const what =
      generation === truth
        ? `generation ${generation}, but not the same as directory.db has: it was not published since`
        : `generation ${generation}, and directory.db is at ${truth}`;
    return [...damage, warn('lookup.db', what, 'The edges answer out of an older list.', rebuild)];
  } finally {
    lookup.close();
  }
}

/** Held plans and failing runs, source by source. */
export function checkRuns(config: Config, db: Db, now: number): Finding[] {
  return Object.entries(config.sources).flatMap(([name, { tenant, kind }]) => {
    // asked, not read: no runs
    if (kind === 'smtp') return [];
    const about = `source ${name}`;
    const ref = findSource(db, tenant, name);
    const [last] = listRuns(db, { tenant, source: name, limit: 1, ofTheList: true });
    if (ref === undefined || last === undefined) {
      const mend = `Run \`rollcall sync ${name}\`, or give it a schedule.`;
      return [warn(about, 'it was never synced', 'It knows nobody yet.', mend)];
    }
    const findings: Finding[] = [];
    const hold = newestHold(db, ref);
    if (hold !== undefined) {
      const why = 'Who left stays known, or who came stays unknown, until somebody decides.';
      const mend = `\`rollcall show ${hold.run}\`, then approve or discard it.`;
      findings.push(warn(about, `run ${hold.run} holds changes for approval`, why, mend));
    }
    const when = ago(last.endedAt ?? last.startedAt, now);
    if (['failed', 'refused', 'interrupted'].includes(last.state)) {
      const what = `its last run (${last.run}, ${when}) ${last.state === 'interrupted' ? 'was ' : ''}${last.state}: ${last.reasons[0] ?? ''}`;
      findings.push(warn(about, what, 'Its list grows old.', `\`rollcall show ${last.run}\` says why.`));
    } else if (findings.length === 0) findings.push(ok(about, `last run ${when}: ${last.state}`));
    return findings;
  });
}

export function checkTokens(config: Config, db: Db): Finding[] {
  if (config.http === undefined || listTokens(db).length > 0) return [];
  const why = 'Without one, HTTP answers only health checks and metrics.';
  return [warn('http', 'there is no token', why, '`rollcall token create NAME --role upload` makes one.')];
}
