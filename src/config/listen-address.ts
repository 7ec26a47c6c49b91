/**
 * Listen addresses: `"127.0.0.1:2525"`, `"[::1]:2525"`, `"unix:/run/rollcall/policy.sock"`.
 *
 * Promises a value that node:net's `listen` takes as it is. Refuses host names (they may resolve to another interface
 * tomorrow), an IPv6 address without brackets, and a socket path that is relative or longer than the kernel allows.
 * Port 0 asks the system for a free port.
 */
import { isIP, isIPv6 } from 'node:net';

export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** unix(7): sun_path holds 108 bytes, the last one being NUL. */
const maxSocketPath = 107;

/** The address, or undefined when the text is not one. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return socketPath(text.slice('unix:'.length));
  const match = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || isIP(host) === 0) return undefined;
  // Brackets belong to IPv6 only (RFC 3986 §3.2.2).
  return isIPv6(host) === (match[1] !== undefined) ? { host, port } : undefined;
}

/** The text that `parseListenAddress` reads back to the same address. */
export function formatListenAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only this machine can connect. */
export function isLocal(address: ListenAddress): boolean {
  return 'path' in address || isLoopback(address.host);
}

/** Whether a host name or an address literal (brackets or not) is this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function socketPath(path: string): ListenAddress | undefined {
  const fits = path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= maxSocketPath;
  return fits ? { path } : undefined;
}
