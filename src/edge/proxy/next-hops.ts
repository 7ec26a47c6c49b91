/**
 * The next hops of a proxy, in order, with what is known of their health.
 *
 * Promises the first one that answers: one that failed is passed over for `retryAfterMs`, then tried again; when all have
 * failed, all are tried, as one may be back. Says in the log when one fails and when it is back, not at each attempt.
 */
import { messageOf } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import { Hop, type HopOptions } from './hop.js';
import { describeHop, type NextHop } from './next-hop.js';

export interface NextHopsOptions extends HopOptions {
  /** At least one. */
  readonly nextHops: readonly NextHop[];
  readonly retryAfterMs: number;
  readonly log: Logger;
  /** Milliseconds, of any epoch. */
  readonly now: () => number;
}

export interface NextHops {
  /** Undefined when none answers. `header` as in Hop.open. */
  open(header: Buffer | undefined, signal: AbortSignal): Promise<Hop | undefined>;
  /** It answers, and does not do its work. */
  failed(target: NextHop, why: string): void;
  /** It does. */
  works(target: NextHop): void;
  /** Something that the administrator should know of a next hop; said once. */
  notice(target: NextHop, what: string): void;
}

export function createNextHops(options: NextHopsOptions): NextHops {
  const downUntil = new Map<NextHop, number>();
  /** Those that connect and greet, and fail later: a connection does not make them well. */
  const useless = new Set<NextHop>();
  const noticed = new Set<string>();

  function candidates(): readonly NextHop[] {
    const now = options.now();
    const up = options.nextHops.filter((target) => (downUntil.get(target) ?? 0) <= now);
    return up.length > 0 ? up : options.nextHops;
  }

  function failed(target: NextHop, error: unknown): void {
    const known = downUntil.has(target);
    downUntil.set(target, options.now() + options.retryAfterMs);
    const fields = { edge: 'proxy', nextHop: describeHop(target), why: messageOf(error) };
    if (!known) options.log.warn(fields, 'next hop failed');
  }

  function answered(target: NextHop): void {
    if (downUntil.delete(target))
      options.log.info({ edge: 'proxy', nextHop: describeHop(target) }, 'next hop is back');
  }

  return {
    async open(header, signal) {
      for (const target of candidates()) {
        try {
          const hop = await Hop.open(target, options, header, signal);
          if (!useless.has(target)) answered(target);
          return hop;
        } catch (error) {
          if (signal.aborted) return undefined;
          failed(target, error);
        }
      }
      return undefined;
    },
    failed(target, why) {
      useless.add(target);
      failed(target, new Error(why));
    },
    works(target) {
      if (useless.delete(target)) answered(target);
    },
    notice(target, what) {
      const nextHop = describeHop(target);
      if (noticed.has(`${nextHop} ${what}`)) return;
      noticed.add(`${nextHop} ${what}`);
      options.log.warn({ edge: 'proxy', nextHop, what }, 'next hop noticed');
    },
  };
}
