/** What is true of a source's list after a run besides its claims: for which domains it is complete, and where its changes begin. */
import type { Apply } from './apply.js';
import { adjustCoverage, clearPending, narrowCoverage, setCoverage, setPending } from './coverage.js';
import {
  dropCursor,
  forgetRemoved,
  forgetUnclaimed,
  keepUnclaimed,
  writeSourceState,
} from './source-state.js';
import type { Db } from './open.js';
import type { Split } from './split.js';

export function updateCoverage(db: Db, apply: Apply, split: Split): void {
  const { ref, kind, run, startedAt } = apply.handle;
  if (apply.settles !== undefined) clearPending(db, ref, apply.settles);
  else if (kind === 'rollback') {
    if (apply.plan.removed > 0) setPending(db, ref, run);
  } else if (apply.changes !== undefined) {
    const { gained, lost, removed, proof } = apply.changes;
    adjustCoverage(db, ref, {
      byDomain: difference(gained, lost),
      removed,
      completeAt: split.held === 0 && proof ? startedAt : undefined,
    });
  } else {
    if (apply.complete && split.heldOps.includes('+')) narrowCoverage(db, ref, apply.covers);
    if (split.heldOps.includes('+')) setPending(db, ref, run);
    else if (apply.complete) setCoverage(db, ref, apply.covers, startedAt);
  }
}

function difference(
  gained: ReadonlyMap<string, number>,
  lost: ReadonlyMap<string, number>,
): Map<string, number> {
  const domains = new Set([...gained.keys(), ...lost.keys()]);
  return new Map([...domains].map((domain) => [domain, (gained.get(domain) ?? 0) - (lost.get(domain) ?? 0)]));
}

/** The cursor goes with the claims: forward only when all it covers is applied, and away when the claims are no longer its. */
export function updateState(db: Db, apply: Apply, split: Split): void {
  const { ref, kind, startedAt } = apply.handle;
  if (kind === 'rollback') dropCursor(db, ref);
  else if (apply.settles !== undefined) forgetRemoved(db, ref);
  else if (apply.changes !== undefined) {
    if (apply.changes.state === undefined || split.held > 0) return;
    writeSourceState(db, ref, apply.changes.state);
    keepUnclaimed(db, ref, apply.changes);
  } else if (apply.full !== undefined && apply.complete) {
    const isHeld = split.heldOps.includes('-') || split.heldOps.includes('!');
    const removedSince = isHeld ? apply.full.removedSince : 0;
    writeSourceState(db, ref, {
      cursor: split.heldOps.includes('+') ? null : (apply.full.cursor ?? null),
      madeFrom: apply.full.madeFrom,
      fullAt: startedAt,
      ownCount: apply.full.ownCount ?? null,
      removedSince,
      listedAt: null,
    });
    if (removedSince === 0) forgetRemoved(db, ref);
    forgetUnclaimed(db, ref);
  }
}
