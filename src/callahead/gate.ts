/**
 * How much a server may be asked: so many probes at a time, so many a second, and so many that wait.
 *
 * Promises that nothing waits past its deadline, that the queue is bounded, and that whoever is turned away hears it at
 * once. A harvest of a thousand addresses a second costs the server behind `maxPerSecond` and nothing more.
 */
import { msLeft, type Deadline } from './wire.js';

export interface GateOptions {
  readonly maxConcurrent: number;
  /** Also the burst: so many may start at once after a quiet second. */
  readonly maxPerSecond: number;
  readonly maxWaiting: number;
}

export interface Gate {
  /** Undefined: turned away. `background`: only when there is room to spare. */
  run<T>(work: () => Promise<T>, deadline: Deadline, background?: boolean): Promise<T | undefined>;
  /** One recipient more than the one that each probe begins with: the next probe waits the longer. */
  spend(): void;
  close(): void;
}

interface Waiting {
  readonly start: () => void;
  readonly turnAway: () => void;
  readonly deadline: Deadline;
}

export function createGate({ maxConcurrent, maxPerSecond, maxWaiting }: GateOptions): Gate {
  let running = 0;
  let tokens = maxPerSecond;
  let filledAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const queue: Waiting[] = [];

  function refill(): void {
    const now = performance.now();
    tokens = Math.min(maxPerSecond, tokens + ((now - filledAt) / 1000) * maxPerSecond);
    filledAt = now;
  }

  function pump(): void {
    clearTimeout(timer);
    refill();
    while (queue[0] !== undefined && msLeft(queue[0].deadline) === 0) queue.shift()?.turnAway();
    while (queue.length > 0 && running < maxConcurrent && tokens >= 1) {
      tokens -= 1;
      running += 1;
      queue.shift()?.start();
    }
    const [next] = queue;
    if (next === undefined) return;
    const forToken = running < maxConcurrent ? ((1 - tokens) / maxPerSecond) * 1000 : Infinity;
    timer = setTimeout(pump, Math.ceil(Math.min(forToken, msLeft(next.deadline))) + 1);
  }

  function run<T>(work: () => Promise<T>, deadline: Deadline, background = false): Promise<T | undefined> {
    const limit = background ? maxWaiting / 2 : maxWaiting;
    if (closed || queue.length >= limit) return Promise.resolve(undefined);
    return new Promise<T | undefined>((resolve, reject) => {
      const start = (): void => {
        void work()
          .then(resolve, reject)
          .finally(() => {
            running -= 1;
            pump();
          });
      };
      queue.push({ start, turnAway: () => resolve(undefined), deadline });
      pump();
    });
  }

  return {
    run,
    spend() {
      refill();
      tokens -= 1;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const waiting of queue.splice(0)) waiting.turnAway();
    },
  };
}
