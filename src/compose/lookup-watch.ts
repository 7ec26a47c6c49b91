/**
 * Watches lookup.db from control: when it is missing, damaged or behind the directory, it is published again.
 *
 * Promises one attempt at a time, further apart each time it fails. A file that is merely behind has a few seconds to catch
 * up by itself, because every run, in whatever process, publishes at its end; one that was killed does not.
 */
import { messageOf } from '../errors.js';
import type { Published } from '../lookup/publish.js';
import type { Logger } from '../telemetry/log.js';
import type { LookupState } from './lookup-state.js';

export interface LookupWatchOptions {
  readonly look: () => LookupState;
  readonly publish: (force: boolean) => Promise<Published>;
  readonly log: Logger;
  /** In ms, of a clock that never goes back. */
  readonly now?: () => number;
  /** Default 1 s. */
  readonly everyMs?: number;
}

export interface LookupWatch {
  /** Looks now. Resolves when what there was to do is done, or has failed. */
  check(): Promise<void>;
  stop(): void;
}

const patienceMs = 3000;
const firstBackoffMs = 1000;
const longestBackoffMs = 60_000;

export function watchLookup(options: LookupWatchOptions): LookupWatch {
  const { log, now = () => performance.now() } = options;
  let working = false;
  let backoffMs = 0;
  let notBefore = 0;
  let behindSince: number | undefined;

  /** Whether whoever changed the directory had time enough to publish, and did not. */
  function isLeftBehind(state: LookupState): boolean {
    behindSince = state === 'behind' ? (behindSince ?? now()) : undefined;
    return behindSince !== undefined && now() - behindSince >= patienceMs;
  }

  async function check(): Promise<void> {
    if (working || now() < notBefore) return;
    working = true;
    try {
      const state = options.look();
      const isLeft = isLeftBehind(state);
      if (state === 'current' || (state === 'behind' && !isLeft)) return;
      log.warn({ state }, 'recipient list for the edges is not as it should be: publishing');
      const { generation, how } = await options.publish(state === 'damaged');
      log.info({ generation, how }, 'published');
      backoffMs = 0;
      behindSince = undefined;
    } catch (error) {
      backoffMs = Math.min(longestBackoffMs, Math.max(firstBackoffMs, backoffMs * 2));
      notBefore = now() + backoffMs;
      log.error({ err: messageOf(error), againInMs: backoffMs }, 'publishing failed');
    } finally {
      working = false;
    }
  }

  const timer = setInterval(() => void check(), options.everyMs ?? 1000);
  timer.unref();
  return { check, stop: () => clearInterval(timer) };
}
