/**
 * How much one source may be asked: so many questions a second for each domain, and so many at a time in all.
 *
 * Promises that nothing waits past its deadline, that the queues are bounded, and that whoever is turned away hears it at
 * once. Domains take turns, so that a harvest of one does not keep the directory from the others.
 */

export interface GateOptions {
  /** At a time, over all domains. */
  readonly maxConcurrent: number;
  /** That wait, over all domains. */
  readonly maxWaiting: number;
  /** In ms, of a clock that never goes back. */
  readonly now: () => number;
}

export interface Entrance {
  readonly domain: string;
  /** Also the burst: so many at once after a quiet second. */
  readonly perSecond: number;
  /** By `now`: nobody waits longer. */
  readonly deadline: number;
}

export interface Gate {
  /**
   * Runs the work in its turn. `onRefused` is called instead, at once or at the deadline, when it has none; `forMs`: it is no
   * use to try again before.
   */
  enter(entrance: Entrance, work: () => Promise<void>, onRefused: (forMs: number) => void): void;
  /** Refuses everybody who waits. */
  clear(): void;
  /** Refuses everybody who waits, and who comes later. */
  close(): void;
}

interface Waiting {
  readonly deadline: number;
  readonly start: () => Promise<void>;
  readonly refuse: (forMs: number) => void;
}

interface Lane {
  perSecond: number;
  tokens: number;
  filledAt: number;
  readonly waiting: Waiting[];
}

const maxLanes = 1000;

export function createGate({ maxConcurrent, maxWaiting, now }: GateOptions): Gate {
  // a lane that has had its turn goes to the end
  const lanes = new Map<string, Lane>();
  let running = 0;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function laneOf(domain: string, perSecond: number): Lane {
    let lane = lanes.get(domain);
    if (lane === undefined) {
      if (lanes.size >= maxLanes) forgetIdle();
      lane = { perSecond, tokens: perSecond, filledAt: now(), waiting: [] };
      lanes.set(domain, lane);
    }
    lane.perSecond = perSecond;
    refill(lane);
    return lane;
  }

  /** A lane that is full and empty is as good as none. */
  function forgetIdle(): void {
    for (const [domain, lane] of lanes) {
      refill(lane);
      if (lane.waiting.length === 0 && lane.tokens >= lane.perSecond) lanes.delete(domain);
    }
  }

  function refill(lane: Lane): void {
    const at = now();
    lane.tokens = Math.min(
      lane.perSecond,
      lane.tokens + (Math.max(0, at - lane.filledAt) / 1000) * lane.perSecond,
    );
    lane.filledAt = at;
  }

  function enter(
    { domain, perSecond, deadline }: Entrance,
    work: () => Promise<void>,
    refuse: (forMs: number) => void,
  ): void {
    const lane = laneOf(domain, perSecond);
    const tokenIn = msToToken(lane, lane.waiting.length);
    if (closed || waiting >= maxWaiting || lanes.size > maxLanes || now() + tokenIn >= deadline) {
      refuse(Math.ceil(1000 / perSecond));
      return;
    }
    const start = (): Promise<void> => work().catch(() => undefined);
    lane.waiting.push({ deadline, start, refuse });
    waiting += 1;
    pump();
  }

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const lane of lanes.values()) {
      refill(lane);
      turnAwayLate(lane);
    }
    while (running < maxConcurrent) if (!startNext()) break;
    sleep();
  }

  function turnAwayLate(lane: Lane): void {
    while (lane.waiting[0] !== undefined && lane.waiting[0].deadline <= now()) {
      waiting -= 1;
      lane.waiting.shift()?.refuse(0);
    }
  }

  function startNext(): boolean {
    for (const [domain, lane] of lanes) {
      if (lane.tokens < 1) continue;
      const next = lane.waiting.shift();
      if (next === undefined) continue;
      lane.tokens -= 1;
      waiting -= 1;
      running += 1;
      lanes.delete(domain);
      lanes.set(domain, lane);
      void next.start().finally(() => {
        running -= 1;
        pump();
      });
      return true;
    }
    return false;
  }

  /** Until a token comes, if there is room for whom it lets in, or somebody's deadline. */
  function sleep(): void {
    if (waiting === 0) return;
    let wake = Infinity;
    for (const lane of lanes.values()) {
      const [first] = lane.waiting;
      if (first === undefined) continue;
      if (running < maxConcurrent) wake = Math.min(wake, msToToken(lane, 0));
      wake = Math.min(wake, first.deadline - now());
    }
    timer = setTimeout(pump, Math.max(1, Math.ceil(wake)));
  }

  function clear(): void {
    clearTimeout(timer);
    waiting = 0;
    for (const lane of lanes.values()) for (const each of lane.waiting.splice(0)) each.refuse(0);
  }

  return {
    enter,
    clear,
    close() {
      closed = true;
      clear();
    },
  };
}

/** Until there is a token for the one behind so many others. */
function msToToken({ tokens, perSecond }: Lane, before: number): number {
  return Math.max(0, ((before + 1 - tokens) / perSecond) * 1000);
}
