/**
 * Requests that are tried again: throttling, passing faults of the service, a broken connection.
 *
 * Throttling (learn.microsoft.com/graph/throttling): wait what Retry-After says, and no less than a wait that doubles from one
 * second, with jitter: some services send none, and one that says "in a second" for minutes must not use up all tries. Promises: bounded in tries and in waiting; the signal ends it at once. The last answer is
 * returned, whatever it is; a network that does not answer is thrown.
 */
import type { Clock } from './options.js';
import type { HttpRequest, HttpResponse, Transport } from './transport.js';

export interface RetryLimits {
  readonly tries: number;
  /** All waiting for one request together. */
  readonly waitMs: number;
}

/** A read has time; it must not give up over the minutes for which a tenant is throttled. */
export const patient: RetryLimits = { tries: 12, waitMs: 15 * 60_000 };
/** Somebody waits for the answer, and the service must not be pressed. */
export const impatient: RetryLimits = { tries: 1, waitMs: 0 };

/** A connection that fails this often in a row is down. */
const networkTries = 4;
const firstWaitMs = 1000;
const longestWaitMs = 60_000;

/** 429, 503, 504: learn.microsoft.com/graph/errors; 500 and 502 pass as well; 509 is throttling by bandwidth. */
const passing = new Set([408, 429, 500, 502, 503, 504, 509]);

export function isPassing(status: number): boolean {
  return passing.has(status);
}

export class Http {
  constructor(
    readonly transport: Transport,
    readonly clock: Clock,
  ) {}

  async send(request: HttpRequest, signal: AbortSignal, limits: RetryLimits): Promise<HttpResponse> {
    let waited = 0;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request, signal);
      const answer = outcome.kind === 'answered' ? outcome.response : undefined;
      if (answer !== undefined && !passing.has(answer.status)) return answer;
      const wait = waitAfter(answer, attempt, this.clock);
      const tries = answer === undefined ? Math.min(networkTries, limits.tries) : limits.tries;
      if (attempt >= tries || waited + wait > limits.waitMs) {
        if (outcome.kind === 'failed') throw outcome.error;
        return outcome.response;
      }
      await this.clock.sleep(wait, signal);
      waited += wait;
    }
  }

  async #attempt(request: HttpRequest, signal: AbortSignal): Promise<Outcome> {
    try {
      return { kind: 'answered', response: await this.transport.send(request, signal) };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'failed', error };
    }
  }
}

type Outcome =
  | { readonly kind: 'answered'; readonly response: HttpResponse }
  | { readonly kind: 'failed'; readonly error: unknown };

function waitAfter(answer: HttpResponse | undefined, attempt: number, clock: Clock): number {
  const asked = retryAfter(answer?.headers['retry-after'], clock.now());
  const ceiling = Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1));
  const doubling = Math.ceil(ceiling * (0.5 + clock.random() / 2));
  if (asked === undefined) return doubling;
  // a little later than asked, so that many do not come back in the same instant; and later still where "soon" was said often
  return Math.max(asked + Math.floor(clock.random() * 1000), doubling);
}

/** RFC 9110 §10.2.3: seconds, or a date. In milliseconds from now; undefined when it says nothing that can be read. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Za-z]{3},/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
