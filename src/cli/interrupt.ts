/**
 * SIGINT and SIGTERM while a command works: the first one asks it to stop, so that the run is recorded as failed and
 * nothing half done is left; a second one ends the process at once (the next start finds the run and marks it).
 */
import { RollcallError } from '../errors.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    release();
    controller.abort(
      new RollcallError('conflict', `stopped by ${name} before it was done; nothing was applied`),
    );
  };
  const release = (): void => {
    for (const name of signals) process.removeListener(name, stop);
  };
  for (const name of signals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    release();
  }
}
