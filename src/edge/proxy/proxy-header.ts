/**
 * The PROXY protocol, versions 1 and 2, sending side (haproxy.org/download/2.8/doc/proxy-protocol.txt §2.1 and §2.2): who
 * connected to us, told before anything else.
 *
 * Promises a header for every client: one without addresses of one family (a unix socket) is sent as unknown or local.
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface Ends {
  readonly sourceAddress: string | undefined;
  readonly sourcePort: number | undefined;
  readonly ownAddress: string | undefined;
  readonly ownPort: number | undefined;
}

export function proxyHeader(version: 1 | 2, ends: Ends): Buffer {
  const { sourceAddress: source = '', ownAddress: own = '', sourcePort = 0, ownPort = 0 } = ends;
  const family = isIPv4(source) && isIPv4(own) ? 4 : isIPv6(source) && isIPv6(own) ? 6 : 0;
  if (version === 1) {
    if (family === 0) return Buffer.from('PROXY UNKNOWN\r\n');
    return Buffer.from(`PROXY TCP${family} ${source} ${own} ${sourcePort} ${ownPort}\r\n`);
  }
  if (family === 0) return header2(0x20, 0x00, Buffer.alloc(0));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(ownPort, 2);
  return header2(0x21, family === 4 ? 0x11 : 0x21, Buffer.concat([octets(source), octets(own), ports]));
}

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);

function header2(command: number, family: number, addresses: Buffer): Buffer {
  const start = Buffer.from([command, family, addresses.length >> 8, addresses.length & 0xff]);
  return Buffer.concat([signature, start, addresses]);
}

/** The octets of an address in network order. */
function octets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // an IPv4 tail would be two groups; the URL parser writes it so, and compresses as everybody does
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}
