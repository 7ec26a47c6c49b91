/**
 * The names of mail domains as configured: U-label or A-label in, lower-case A-label out.
 *
 * Refuses what is no host name, and IP addresses: the URL rules behind domainToASCII would turn `1.2.3` into an address.
 */
import { domainToASCII } from 'node:url';

/** The domain as lower-case A-label (RFC 5890 §2.3.2.1), or undefined when the text is no domain. */
export function domainKey(name: string): string | undefined {
  const bare = name.replace(/\.$/, '');
  // domainToASCII follows the URL standard, which decodes %41 and cuts at `/` and `:`; none of that is a domain here.
  if (/[\x00-\x2c\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f\s]/.test(bare)) return undefined;
  const ascii = domainToASCII(bare).toLowerCase();
  return isHostName(ascii) && !isNumeric(ascii) && !isNumeric(bare) ? ascii : undefined;
}

function isHostName(ascii: string): boolean {
  // RFC 1035 §2.3.4: labels of 63 octets, names of 253 as text.
  const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
  return ascii.length <= 253 && ascii.split('.').every((part) => label.test(part));
}

/** Whether the last label is a number, so that URL rules read the whole as an IPv4 address. */
function isNumeric(name: string): boolean {
  return /^(\d+|0x[0-9a-f]*)$/i.test(name.split('.').at(-1) ?? '');
}
