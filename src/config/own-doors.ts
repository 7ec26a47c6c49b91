/** Whether a server that we are to talk to is one of our own doors: mail would go in circles. */
import { isLoopback } from './listen-address.js';
import type { Config } from './schema.js';

/** `host`: a name or an IP address. A name other than `localhost` is not looked up. */
export function isOwnDoor(
  { edges }: Config,
  { host, port }: { readonly host: string; readonly port: number },
): boolean {
  const doors = Object.values(edges).flatMap((edge) => edge?.listen ?? []);
  // connecting to the address of all interfaces leads to this machine
  const isHere = isLoopback(host) || isAny(host);
  return doors.some((door) => {
    if (!('port' in door) || door.port !== port || port === 0) return false;
    return door.host === host || ((isAny(door.host) || isLoopback(door.host)) && isHere);
  });
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
