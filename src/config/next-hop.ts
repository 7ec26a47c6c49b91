/**
 * Next hops: `"mail.example.com:25"`, `"192.0.2.10:25"`, `"[2001:db8::1]:25"`.
 *
 * Promises a value that node:net's `connect` takes as it is. Refuses a missing port (25 and 587 are both likely, and only
 * one is meant), an IPv6 address without brackets, and names that no host can have.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { fail } from './scalars.js';

export interface NextHop {
  /** An IP address or a name. */
  readonly host: string;
  readonly port: number;
}

/** RFC 1123 §2.1: letters, digits and hyphens, in labels of at most 63. */
const hostName = /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

export function parseNextHop(text: string): NextHop | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  const [, bracketed, bare = ''] = match;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  // digits and dots are an address or nothing
  const isHost = /^[\d.]+$/.test(bare) ? isIPv4(bare) : hostName.test(bare);
  return isHost ? { host: bare, port } : undefined;
}

export function formatNextHop({ host, port }: NextHop): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

const error =
  'must be a server with its port, such as "mail.example.com:25", "192.0.2.10:25" or "[2001:db8::1]:25"';

export const nextHop = z
  .codec(z.string({ error }), z.strictObject({ host: z.string(), port: z.int() }), {
    decode: (written, context) => parseNextHop(written) ?? fail(context, error),
    encode: formatNextHop,
  })
  .meta({ 'x-type': 'host:port' });
