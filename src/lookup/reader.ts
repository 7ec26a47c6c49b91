/**
 * The edges' side of lookup.db: one prepared, indexed read a question, and the freshness of each source in memory.
 *
 * Promises: read-only; `find` throws when the file is missing or damaged, which the policy answers with a defer; a file
 * that was replaced is opened again by `refresh`, which the composition root calls every half second, so that nothing but
 * the one read is on the hot path. A damaged file is marked for control to build anew.
 */
import { statSync, writeFileSync } from 'node:fs';
import { messageOf, RollcallError } from '../errors.js';
import { isDamage } from './mark.js';
import { damagedMarkerPath } from './schema.js';
import {
  coverageIn,
  dataVersion,
  findIn,
  openSnapshot,
  readState,
  type Coverage,
  type Opened,
  type Slot,
  type SnapshotOptions,
} from './snapshot.js';

/** What policy needs to know of the lists. */
export interface LookupView {
  /** The slots of a key; empty when nobody knows it. Throws when the snapshot cannot be read. */
  find(tenant: string, key: string): readonly Slot[];
  /** For which state of which source's list a domain (or `*.domain`) is covered; undefined when it never was. */
  coverage(tenant: string, source: string, domain: string): Coverage | undefined;
  /** Generation of the snapshot; undefined when there is none. */
  generation(): number | undefined;
}

export interface LookupReader extends LookupView {
  /** Opens a replaced file, reads sources and coverage again when they changed. Never throws. */
  refresh(): void;
  close(): void;
}

export interface LookupOptions extends SnapshotOptions {
  /** Told once of each change for the worse or the better: a message for the log. */
  readonly onState?: (state: 'open' | 'unavailable', detail: string) => void;
}

export function openLookup(options: LookupOptions): LookupReader {
  let opened: Opened | undefined;
  let trouble = '';

  function fail(error: unknown): void {
    const detail = messageOf(error);
    close();
    if (isDamage(error)) markDamaged(options.path, detail);
    if (detail !== trouble) options.onState?.('unavailable', detail);
    trouble = detail;
  }

  function close(): void {
    try {
      opened?.db.close();
    } catch {
      // a damaged file may not close cleanly; there is nothing to save in it
    }
    opened = undefined;
  }

  function refresh(): void {
    try {
      const inode = statSync(options.path).ino;
      if (opened !== undefined && opened.inode !== inode) close();
      opened?.turn.end();
      if (opened === undefined) {
        opened = openSnapshot(options, inode);
        trouble = '';
        options.onState?.('open', `generation ${opened.generation}`);
      } else if (dataVersion(opened.db) !== opened.dataVersion) {
        Object.assign(opened, readState(opened.db));
      }
    } catch (error) {
      fail(error);
    }
  }

  function find(tenant: string, key: string): readonly Slot[] {
    if (opened === undefined) throw new RollcallError('store', `${options.path} cannot be read: ${trouble}`);
    try {
      opened.turn.enter();
      return findIn(opened, tenant, key);
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  refresh();
  return {
    find,
    refresh,
    close,
    coverage: (tenant, source, domain) =>
      opened === undefined ? undefined : coverageIn(opened, tenant, source, domain),
    generation: () => opened?.generation,
  };
}

function markDamaged(path: string, detail: string): void {
  try {
    writeFileSync(damagedMarkerPath(path), `${detail}\n`);
  } catch {
    // the marker is a hint to control; without it control finds the damage at its next check
  }
}
