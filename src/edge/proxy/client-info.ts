/**
 * Who the client is, told along the chain: Postfix XFORWARD (XFORWARD_README) and XCLIENT (XCLIENT_README), both ways.
 *
 * Promises attributes without controls or spaces: values stay xtext (RFC 3461 §4) as they came, and our own are made so.
 * Takes only names it knows, each with a value of at most 255 octets. An address that says it is not known is none.
 */
import { isIP } from 'node:net';

/** Names in upper case → xtext values. */
export type ClientInfo = ReadonlyMap<string, string>;

export const forwardNames = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const;
export const clientNames = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO'] as const;

const attribute = /^([A-Za-z]+)=([\x21-\x7e]{1,255})$/;

/** `NAME=… ADDR=…`; undefined when there are none or one is wrong. */
export function parseClientInfo(text: string, names: readonly string[]): ClientInfo | undefined {
  const found = new Map<string, string>();
  for (const part of text.split(/ +/)) {
    const match = attribute.exec(part);
    const name = match?.[1]?.toUpperCase() ?? '';
    if (match === null || !names.includes(name)) return undefined;
    found.set(name, match[2] ?? '');
  }
  return found;
}

/** Longest line we send: RFC 5321 §4.5.3.1.4 without CRLF; Postfix splits alike. */
const maxLine = 510;

/** One or more commands that tell a server what it said it takes, `offered` being the parameters of its EHLO line. */
export function clientInfoCommands(
  command: 'XFORWARD' | 'XCLIENT',
  info: ClientInfo,
  offered: string,
): string[] {
  const takes = new Set(offered.toUpperCase().split(/ +/));
  const lines: string[] = [];
  for (const [name, value] of info) {
    if (!takes.has(name)) continue;
    const last = lines.at(-1);
    const part = `${name}=${value}`;
    if (last === undefined || last.length + 1 + part.length > maxLine) lines.push(`${command} ${part}`);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines;
}

const unavailable = '[UNAVAILABLE]';

export interface Peer {
  /** Undefined on a unix socket. */
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** As given in EHLO or HELO. */
  readonly helo: string;
  readonly protocol: 'SMTP' | 'ESMTP';
}

/** What we know ourselves of a client. */
export function clientInfoOf(peer: Peer): ClientInfo {
  return new Map([
    ['NAME', unavailable],
    ['ADDR', peer.address === undefined ? unavailable : infoAddress(peer.address)],
    ['PORT', peer.port === undefined ? unavailable : String(peer.port)],
    ['PROTO', peer.protocol],
    ['HELO', peer.helo === '' ? unavailable : xtext(peer.helo)],
    ['SOURCE', peer.address === undefined ? 'LOCAL' : 'REMOTE'],
  ]);
}

/** `192.0.2.1`, `IPV6:2001:db8::1`. */
function infoAddress(address: string): string {
  return isIP(address) === 6 ? `IPV6:${address}` : address;
}

/** The IP address that ADDR gives; undefined when it gives none. */
export function addressOf(info: ClientInfo | undefined): string | undefined {
  const address = (info?.get('ADDR') ?? '').replace(/^IPV6:/i, '');
  return isIP(address) === 0 ? undefined : plainAddress(address);
}

/** RFC 3461 §4: what is not printable ASCII, and `+` and `=`, as `+XX`. Text holds octets (latin1). */
export function xtext(text: string): string {
  const escape = (char: string): string =>
    `+${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return text.slice(0, 80).replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g, escape);
}

/** Octets (latin1). What is no `+XX` stays as it is. */
export function fromXtext(text: string): string {
  return text.replace(/\+([\dA-F]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** IPv4 as such, also where a socket for both families shows it in IPv6 clothes. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  return mapped ?? address;
}
