/**
 * The human part of a reply, the same in every edge: the verdict's text with its reference, safe to send.
 *
 * Promises printable ASCII, one line, never empty, and short enough for RFC 5321 §4.5.3.1.5 (512 octets a reply line)
 * whatever the configuration or a directory put into the text.
 */
import type { Verdict } from '../policy/verdict.js';

/** Leaves room for the code, the status, CRLF, and what Postfix puts before the text. */
const maxText = 300;

const unprintable = /[^\x20-\x7e]+/g;

/** `No such mailbox here (ref K3QX7A)`. */
export function replyText(verdict: Verdict): string {
  const text = printable(verdict.text);
  return verdict.reference === undefined ? text : `${text} (ref ${printable(verdict.reference)})`;
}

function printable(text: string): string {
  const clean = unprintable.test(text) ? text.replace(unprintable, ' ') : text;
  unprintable.lastIndex = 0;
  return clean.slice(0, maxText).trim() || 'No reason given';
}
