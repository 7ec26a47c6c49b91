/** What the parts of one run share. */
import type { Staging } from '../store/sqlite/staging.js';
import type { RunHandle } from '../store/store.js';
import type { RunDeps, SyncRequest } from './request.js';

export interface RunPart {
  readonly deps: RunDeps;
  readonly request: SyncRequest;
  readonly handle: RunHandle;
  readonly staging: Staging;
  /** Called often; throws when the run must stop. */
  readonly heartbeat: () => void;
}
