/**
 * What the data of milter commands say of the envelope: addresses as they were typed, the client's address, macros.
 *
 * Strings are NUL-terminated. Pure functions on text whose characters are octets; undefined is what cannot be read.
 */
import { families } from './protocol.js';

/** Up to the first NUL: of MAIL and RCPT the path as typed; ESMTP parameters follow it, one string each. */
export function firstString(data: string): string | undefined {
  const end = data.indexOf('\0');
  return end === -1 ? undefined : data.slice(0, end);
}

/**
 * What stands between the angle brackets, or the whole when there are none (Postfix takes `RCPT TO:person@example.com`, and
 * `Name <person@example.com>`, unless `strict_rfc821_envelopes` is set). Empty for `<>`.
 */
export function pathOf(typed: string): string {
  const text = typed.trim();
  if (!text.endsWith('>')) return text;
  const start = text.startsWith('<') ? 0 : text.lastIndexOf('<');
  return start === -1 ? text : text.slice(start + 1, -1);
}

const ipv6Prefix = /^IPv6:/i;

/** Of CONNECT: host name, family, port in two octets, address. Undefined too for a client without an IP address. */
export function clientOf(data: string): string | undefined {
  const family = data.indexOf('\0') + 1;
  const isInet = data[family] === families.inet || data[family] === families.inet6;
  if (family === 0 || !isInet) return undefined;
  // Sendmail writes IPv6 addresses as in RFC 5321 §4.1.3
  const address = firstString(data.slice(family + 3))?.replace(ipv6Prefix, '');
  return address === '' ? undefined : address;
}

/** The value of a macro, named as sent (`{rcpt_addr}`); of a macro frame's data: a letter, then names and values. */
export function macroOf(data: string, name: string): string | undefined {
  const strings = data.slice(1).split('\0');
  for (let at = 0; at + 1 < strings.length; at += 2) if (strings[at] === name) return strings[at + 1];
  return undefined;
}
