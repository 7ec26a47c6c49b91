/** Where a mail server asks, and whether one of Rollcall's doors listens there. */
import { isIP } from 'node:net';
import { isLoopback, type ListenAddress } from '../../../config/listen-address.js';
import { unwildcard } from '../../snippet/facts.js';

export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** `inet:127.0.0.1:10040`, `[::1]:10040`, `unix:/run/x.sock`, `10040` alone; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (/^(unix|local):/i.test(text)) return { path: text.slice(text.indexOf(':') + 1) };
  if (text.startsWith('/')) return { path: text };
  const bare = text.replace(/^inet6?:/i, '');
  const match = /^(?:\[([^\]]*)\]|([^:\s[\]]*)):(\d{1,5})$/.exec(bare) ?? /^()()(\d{1,5})$/.exec(bare);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2] ?? '').replace(/^ipv6:/i, '');
  return { host: host === '' ? '127.0.0.1' : host, port: Number(match[3]) };
}

/** `paths`: the spellings under which a unix socket may stand in the configuration, for its path as a file. */
export function listensAt(
  listen: readonly ListenAddress[],
  endpoint: Endpoint,
  paths: (path: string) => readonly string[] = (path) => [path],
): boolean {
  if ('path' in endpoint) {
    const files = paths(endpoint.path);
    return listen.some((address) => 'path' in address && files.includes(address.path));
  }
  return listen.some(
    (address) => 'port' in address && address.port === endpoint.port && sameHost(address.host, endpoint.host),
  );
}

/** Not sure counts as the same: a wildcard, and a name that only DNS knows. */
function sameHost(listening: string, asked: string): boolean {
  if (unwildcard(listening) !== listening) return true;
  if (listening === asked) return true;
  if (isIP(asked) === 0) return asked !== 'localhost' || isLoopback(listening);
  return false;
}
