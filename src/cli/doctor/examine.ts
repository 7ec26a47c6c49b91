/** Doctor's round: from the configuration to the doors, each look bounded, one failing look never ending the round. */
import type { Config } from '../../config/schema.js';
import { openLookup } from '../../lookup/reader.js';
import { lookupPath } from '../../lookup/schema.js';
import { messageOf } from '../../errors.js';
import { listRuns } from '../../store/sqlite/run-records.js';
import { formatIssue } from '../../config/issues.js';
import { parseConfigFile } from '../config-file.js';
import { checkDomainsOf } from './domains.js';
import { checkDoors } from './doors.js';
import { error, ok, warn, type Finding } from './finding.js';
import { checkClock, checkDataDir, checkNode } from './machine.js';
import { checkShared } from './shared.js';
import { checkSourcesOf } from './sources.js';
import { checkLookup, checkRuns, checkTokens, openForDoctor } from './store.js';

export async function examine(file: string, now: number): Promise<Finding[]> {
  const { config, issues, warnings, summary } = parseConfigFile(file);
  const wrong = issues.map((issue) =>
    error('config', formatIssue(issue), 'Rollcall does not start with it.', `Mend ${file}.`),
  );
  if (config === undefined) return [checkNode(), ...wrong];
  const doubtful = warnings.map((issue) =>
    warn(
      'config',
      formatIssue(issue),
      'It is allowed, and often not what was meant.',
      `Look at it in ${file}.`,
    ),
  );
  return [
    checkNode(),
    ok('config', `${file}: ${summary}`),
    ...doubtful,
    ...(await examineConfig(config, now)),
  ];
}

async function examineConfig(config: Config, now: number): Promise<Finding[]> {
  const stored = await look('store', () => examineStore(config, now));
  const [sources, doors] = await Promise.all([
    look('sources', () => checkSourcesOf(config)),
    look('doors', () => checkDoors(config)),
  ]);
  return [...(await look('dataDir', () => checkDataDir(config.dataDir))), ...stored, ...sources, ...doors];
}

function examineStore(config: Config, now: number): Finding[] {
  const { db, findings } = openForDoctor(config);
  const lookup = db === undefined ? undefined : openLookup({ path: lookupPath(config.dataDir) });
  try {
    const [newest] = db === undefined ? [] : listRuns(db, { limit: 1 });
    return [
      checkClock(now, newest?.startedAt),
      ...findings,
      ...checkLookup(config, db),
      ...checkDomainsOf(config, lookup, now),
      ...(db === undefined
        ? []
        : [...checkRuns(config, db, now), ...checkShared(config, db), ...checkTokens(config, db)]),
    ];
  } finally {
    lookup?.close();
    db?.close();
  }
}

async function look(about: string, at: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await at();
  } catch (cause) {
    return [error(about, `this could not be looked at: ${messageOf(cause)}`, '', '')];
  }
}
