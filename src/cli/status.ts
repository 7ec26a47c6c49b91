/**
 * Exit statuses: the outside contract of the command line, and how everything else maps to them.
 */
import type { RollcallError } from '../errors.js';
import type { Action } from '../policy/verdict.js';
import type { RunState } from '../store/store.js';

export const exitStatus = {
  /** Done, or `check` says accept. */
  done: 0,
  /** Failed, refused, or interrupted. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Something is held for approval. */
  held: 3,
  /** `check` says reject. */
  reject: 4,
  /** `check` says defer. */
  defer: 5,
} as const;

export function statusOfError({ code }: RollcallError): number {
  return code === 'usage' || code === 'config' ? exitStatus.usage : exitStatus.failed;
}

export function statusOfRun(state: RunState): number {
  if (state === 'held' || state === 'partly-held') return exitStatus.held;
  return state === 'unchanged' || state === 'applied' || state === 'planned'
    ? exitStatus.done
    : exitStatus.failed;
}

export function statusOfAction(action: Action): number {
  if (action === 'accept') return exitStatus.done;
  return action === 'reject' ? exitStatus.reject : exitStatus.defer;
}
