/**
 * One source, asked within its bounds.
 *
 * Promises an outcome by the deadline, whatever the directory does: no more than `perSecond` look-ups for a domain and
 * `maxConcurrent` in all; a look-up that fails or comes late is `no-answer`, never "not found"; a directory that fails again and
 * again is left alone for a while, and one that asks for it for as long as it asks. Never rejects.
 */
import { messageOf } from '../errors.js';
import { PassingFailure } from '../source/passing-failure.js';
import type { Logger } from '../telemetry/log.js';
import type { LiveAnswer, LiveClaim } from './answer.js';
import { createGate } from './gate.js';

/** What one question leads to. */
export interface Route {
  /** Under which it is remembered, and asked once at a time. */
  readonly key: string;
  /** The configured domain whose rate it counts for. */
  readonly domain: string;
  readonly perSecond: number;
  /** Longest wait of the asker, in ms. */
  readonly timeoutMs: number;
  readonly negativeForMs: number;
  /** Asks the directory. Throws when it does not answer, or on any doubt about what it answers. */
  find(signal: AbortSignal): Promise<Found>;
}

export interface Found {
  /** Of the objects that hold the very address; empty: there is none. */
  readonly claims: readonly LiveClaim[];
  /** Has the objects claimed by the list; called once at most, and only when there are claims. */
  readonly claim: () => void;
}

export type Outcome =
  | { readonly kind: 'heard'; readonly found: Found }
  | Extract<LiveAnswer, { readonly kind: 'limited' | 'no-answer' }>;

export interface GuardedSource {
  find(route: Route): Promise<Outcome>;
  /** How many look-ups have reached the directory. */
  finds(): number;
  /** After a reload: answers everybody who waits, for the old routes lead nowhere, and is left alone no longer. */
  reset(): void;
  /** Answers everybody who waits. */
  close(): void;
}

export interface GuardedSourceOptions {
  readonly name: string;
  readonly log: Logger;
  /** In ms, of a clock that never goes back. */
  readonly now: () => number;
}

/** A question is one search, and the directory has other work to do. */
const maxConcurrent = 2;
const maxWaiting = 100;
/** So much sooner than the asker's deadline, so that the answer is there by then. */
const margin = 0.95;
/** Of the same deadline: nobody waits longer for his turn, or the directory would have no time to answer and pass for dead. */
const queueing = 0.75;
/** After so many failures in a row, for so long. */
const patience = 3;
const restMs = 10_000;
/** After a refused password: each further try counts towards the lockout of the account. A reload tries at once. */
const refusedMs = 15 * 60_000;
/** A service that throttles says for how long; what it says is believed up to here. */
const longestHoldMs = 60 * 60_000;
const troubleLogMs = 60_000;
/** A look-up that was told to stop and does not keeps its place no longer. */
const lingerMs = 5000;

export function createGuardedSource({ name, log, now }: GuardedSourceOptions): GuardedSource {
  const gate = createGate({ maxConcurrent, maxWaiting, now });
  let finds = 0;
  let failures = 0;
  let pausedUntil = -Infinity;
  let loggedAt = -Infinity;
  // what was begun before a reload says nothing of the source as it is now
  let epoch = 0;

  function find(route: Route): Promise<Outcome> {
    const paused = pausedUntil - now();
    if (paused > 0) return Promise.resolve({ kind: 'no-answer', forMs: Math.ceil(paused) });
    const { domain, perSecond } = route;
    const began = now();
    const deadline = began + route.timeoutMs * margin;
    return new Promise((resolve) => {
      gate.enter(
        { domain, perSecond, deadline: began + route.timeoutMs * queueing },
        () => search(route, deadline - now(), resolve),
        (forMs) => resolve({ kind: 'limited', forMs }),
      );
    });
  }

  /** Resolves when the directory is done with it, which may be after the answer. */
  async function search(route: Route, ms: number, answer: (outcome: Outcome) => void): Promise<void> {
    finds += 1;
    const stop = new AbortController();
    const late = setTimeout(() => {
      answer({ kind: 'no-answer', forMs: 0 });
      stop.abort(new Error(`no answer within ${Math.round(ms)} ms`));
    }, ms);
    const work = heard(route, stop.signal, answer).finally(() => clearTimeout(late));
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms + lingerMs)));
    await Promise.race([work, given]).finally(() => clearTimeout(timer));
  }

  async function heard(route: Route, signal: AbortSignal, answer: (outcome: Outcome) => void): Promise<void> {
    const since = epoch;
    try {
      const found = await route.find(signal);
      signal.throwIfAborted();
      if (since === epoch) failures = 0;
      answer({ kind: 'heard', found });
    } catch (error) {
      answer({ kind: 'no-answer', forMs: 0 });
      if (since === epoch) fail(error);
    }
  }

  function fail(error: unknown): void {
    failures += 1;
    const pauseMs = pauseAfter(error, failures);
    pausedUntil = Math.max(pausedUntil, now() + pauseMs);
    // a long pause is rare, and somebody will ask why new people are refused
    if (pauseMs <= troubleLogMs && now() - loggedAt < troubleLogMs) return;
    loggedAt = now();
    log.warn(
      { source: name, err: messageOf(error), leftAloneMs: pauseMs },
      'live look-up not answered: the list’s word stands',
    );
  }

  return {
    find,
    finds: () => finds,
    reset() {
      epoch += 1;
      gate.clear();
      failures = 0;
      pausedUntil = -Infinity;
    },
    close: () => gate.close(),
  };
}

/** For how long, in ms, it is left alone after that failure, the last of so many in a row. */
function pauseAfter(error: unknown, failures: number): number {
  if (isRefusedBind(error)) return refusedMs;
  const asked = error instanceof PassingFailure ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(Math.min(asked, longestHoldMs), failures >= patience ? restMs : 0);
}

/** RFC 4511 §4.1.9: invalidCredentials. */
function isRefusedBind(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 49;
}
