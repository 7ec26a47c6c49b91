/** An export of a house without doors, into a folder of the house. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runExport } from '../../src/export/export.js';
import type { ExportOptions, ExportReport } from '../../src/export/options.js';
import { createDomainTable } from '../../src/policy/domain-table.js';
import type { House } from '../support/house.js';

export interface RoomOptions extends Partial<ExportOptions> {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

export function fileOf(house: House): string {
  return join(house.folder, 'recipients');
}

export function exportFrom(house: House, options: RoomOptions = {}): Promise<ExportReport> {
  const { dryRun = false, force = false, signal = new AbortController().signal, ...given } = options;
  return runExport(
    {
      name: 'edge',
      format: 'plain',
      path: fileOf(house),
      tenant: 'default',
      maxShrinkPercent: 50,
      ...given,
    },
    {
      lookupFile: house.lookupFile,
      stateDir: join(house.folder, 'exports'),
      table: createDomainTable(house.domains),
      now: house.now,
      dryRun,
      force,
      signal,
    },
  );
}

/** The lines that are no comments. */
export function rowsIn(house: House): string[] {
  return readFileSync(fileOf(house), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}
