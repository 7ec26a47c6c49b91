/**
 * The servers of one source, in order, and the sessions with them, kept a few seconds for the next question.
 *
 * Promises that a server that could not be reached, or would not be asked, is left out for a while when there is another,
 * which is asked in its place; that the first one is asked whenever it is up; and that while none can be reached nobody
 * waits for the next attempt: `use` then rejects at once.
 */
import { openSession, type SessionOptions, type SmtpSession } from './smtp-session.js';
import { deadlineIn, msLeft, type Deadline, type Host } from './wire.js';

export interface PoolOptions extends SessionOptions {
  readonly hosts: readonly Host[];
  /** For connecting, until RCPT may be said: shared by the servers. */
  readonly timeoutMs: number;
  /** Of one probe; a kept session is ended after a while that nobody uses it. */
  readonly keptIdleMs?: number;
  /** Told when a server cannot be asked. */
  readonly onTrouble?: (host: Host, error: Error) => void;
}

/** Its deadline may be nearer than that of the probe, to leave time for another server. */
export type Work<T> = (session: SmtpSession, deadline: Deadline) => Promise<T>;

export interface Pool {
  /** Gives a session to `work`, a kept one first; when that dies a fresh one, with each server in turn. */
  use<T>(work: Work<T>, deadline: Deadline): Promise<T>;
  /** Whether no server can be reached just now. */
  down(): boolean;
  close(): void;
}

const defaultKeptIdleMs = 5000;
/** Some servers end a session after so many refused recipients. */
const maxUses = 20;
const downMs = 30_000;
const pauseMs = [1000, 2000, 5000, 10_000];

interface Kept {
  readonly session: SmtpSession;
  uses: number;
  timer?: NodeJS.Timeout;
}

export function createPool(options: PoolOptions): Pool {
  const { hosts, keptIdleMs = defaultKeptIdleMs } = options;
  const idle: Kept[] = [];
  const busy = new Set<Kept>();
  const downUntil = new Map<Host, Deadline>();
  let pausedUntil = -Infinity;
  let failures = 0;
  let closed = false;

  const isDown = (): boolean => performance.now() < pausedUntil;

  function takeKept(): Kept | undefined {
    const [first] = order();
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.timer);
      if (kept.session.wire.gone) continue;
      // only the first server's word counts in full
      if (kept.session.host !== first) {
        kept.session.wire.quit();
        continue;
      }
      kept.session.wire.rest(false);
      return kept;
    }
    return undefined;
  }

  /** Servers that may be up first, in their order. */
  function order(): readonly Host[] {
    const now = performance.now();
    const isUp = (host: Host): boolean => (downUntil.get(host) ?? -Infinity) <= now;
    const up = hosts.filter(isUp);
    return up.length > 0 ? up : hosts;
  }

  /** Tries the servers in turn. */
  async function useNew<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    if (isDown() || closed) throw new Error('no server can be reached');
    const candidates = order();
    let failure = new Error('no answer in time');
    if (msLeft(deadline) === 0) throw failure;
    let isReached = false;
    for (const [index, host] of candidates.entries()) {
      const left = candidates.length - index;
      if (msLeft(deadline) === 0) break;
      try {
        const toOpen = Math.min(options.timeoutMs / candidates.length, msLeft(deadline));
        const session = await openSession(host, options, deadlineIn(toOpen));
        isReached = true;
        failures = 0;
        const answer = await run({ session, uses: 0 }, work, part(deadline, left));
        downUntil.delete(host);
        return answer;
      } catch (error) {
        failure = error as Error;
        downUntil.set(host, deadlineIn(downMs));
        options.onTrouble?.(host, failure);
      }
    }
    if (isReached) throw failure;
    pausedUntil = deadlineIn(pauseMs[Math.min(failures, pauseMs.length - 1)] ?? 0);
    failures += 1;
    throw failure;
  }

  function giveBack(kept: Kept): void {
    busy.delete(kept);
    kept.uses += 1;
    const { wire } = kept.session;
    if (wire.gone) return;
    if (closed || kept.uses >= maxUses || keptIdleMs === 0) {
      wire.quit();
      return;
    }
    wire.rest(true);
    kept.timer = setTimeout(() => {
      idle.splice(idle.indexOf(kept), 1);
      wire.quit();
    }, keptIdleMs).unref();
    idle.push(kept);
  }

  async function run<T>(kept: Kept, work: Work<T>, deadline: Deadline): Promise<T> {
    busy.add(kept);
    try {
      return await work(kept.session, deadline);
    } catch (error) {
      kept.session.wire.destroy();
      throw error;
    } finally {
      giveBack(kept);
    }
  }

  return {
    down: isDown,
    async use(work, deadline) {
      const kept = takeKept();
      if (kept !== undefined) {
        try {
          return await run(kept, work, part(deadline, 2));
        } catch {
          // it may have been closed for its age; only a fresh one tells
        }
      }
      return await useNew(work, deadline);
    },
    close() {
      closed = true;
      for (const { session, timer } of idle.splice(0)) {
        clearTimeout(timer);
        session.wire.quit();
      }
      for (const { session } of busy) session.wire.destroy();
    },
  };
}

/** The time that is left, shared by so many attempts. */
function part(deadline: Deadline, attempts: number): Deadline {
  return deadlineIn(msLeft(deadline) / attempts);
}
