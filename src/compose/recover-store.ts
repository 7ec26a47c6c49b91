/** The first thing of every start of control: what a crash left is found and told. */
import type { Config } from '../config/schema.js';
import type { Logger } from '../telemetry/log.js';
import type { WorkerPool } from './worker-pool.js';

export async function recoverStore(chores: WorkerPool, config: Config, log: Logger): Promise<void> {
  const { interrupted, published, publishError } = await chores.run(() => config, { kind: 'recover' });
  if (interrupted.length > 0) log.warn({ runs: interrupted }, 'runs found unfinished: marked interrupted');
  if (published !== undefined) log.info({ ...published }, 'published');
  if (publishError !== undefined) log.error({ err: publishError }, 'publishing failed: trying again');
}
