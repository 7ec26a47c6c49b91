/** The housekeeping of control: lookup.db watched and read through, old runs dropped, daily. */
import type { Config } from '../config/schema.js';
import { asRollcallError, messageOf } from '../errors.js';
import { lookupPath } from '../lookup/schema.js';
import { directoryPath } from '../store/sqlite/open.js';
import type { Logger } from '../telemetry/log.js';
import { lookupState } from './lookup-state.js';
import { watchLookup } from './lookup-watch.js';
import type { WorkerPool } from './worker-pool.js';

export interface ChoresOptions {
  readonly chores: WorkerPool;
  /** The configuration in force. */
  readonly config: () => Config;
  readonly log: Logger;
}

const dayMs = 86_400_000;

/** Watches lookup.db, reads it through once, and keeps house daily. Returns how to stop. */
export function startChores({ chores, log, config }: ChoresOptions): () => void {
  const { dataDir } = config();
  const watch = watchLookup({
    look: () => lookupState(lookupPath(dataDir), directoryPath(dataDir)),
    publish: (force) => chores.run(config, { kind: 'publish', force }),
    log,
  });
  const verify = async (): Promise<void> => {
    const rebuilt = await chores.run(config, { kind: 'verify' });
    if (rebuilt !== undefined)
      log.warn({ ...rebuilt }, 'recipient list for the edges was damaged: built anew');
  };
  const keepHouse = async (): Promise<void> => {
    const { pruned } = await chores.run(config, { kind: 'maintain' });
    if (pruned > 0) log.info({ pruned }, 'old runs dropped');
    await verify();
  };
  const logged = (work: () => Promise<void>): void =>
    void work().catch((error: unknown) => {
      const left = asRollcallError(error).code === 'conflict';
      log[left ? 'debug' : 'error']({ err: messageOf(error) }, 'housekeeping not done');
    });
  logged(keepHouse);
  const daily = setInterval(() => logged(keepHouse), dayMs);
  daily.unref();
  return () => {
    clearInterval(daily);
    watch.stop();
  };
}
