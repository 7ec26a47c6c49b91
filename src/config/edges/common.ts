/** What the doors to mail servers have in common, as configured. */
import { duration, listenAddress, oneOrMore, whole } from '../scalars.js';

export const listen = oneOrMore(listenAddress, 'listen address').describe(
  'Where to listen: `127.0.0.1:2525`, `[::1]:2525`, `unix:/run/rollcall/x.sock`; port 0 takes a free one',
);

/** `what` says of whom or what there may be so many at a time. */
export function maxConnections(preset: number, what: string) {
  return whole(1, 100_000).default(preset).describe(what);
}

/** Of a protocol of requests and replies; `unit` is what it calls one. */
export function requestTimeout(unit: 'request' | 'command' | 'line') {
  return duration('100ms', '10m')
    .prefault('10s')
    .describe(`Once its first byte is there, a ${unit} must be whole within this time`);
}

/** Of a protocol of requests and replies; `what` says when, and why so long. */
export function idleTimeout(preset: string, what: string) {
  return duration('1s', '24h').prefault(preset).describe(what);
}

export const drainTimeout = duration('0s', '10m')
  .prefault('10s')
  .describe('At a stop, how long sessions under way may finish before they are cut');
