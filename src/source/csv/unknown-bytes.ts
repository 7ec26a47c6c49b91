/**
 * Bytes of a list whose encoding is not known, carried through the reading as characters of their own.
 *
 * Promises: whoever meets such a character knows that it was guessed. Names may hold it; an address with it is not used, as
 * another encoding would make another address of it.
 */

/** Where the bytes 0x80 to 0xff stand in the private use area: nothing else in a list is there. */
const base = 0xf700;

/** The bytes of a run, of which nobody knows what they mean. */
export function markUnknown(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte < 0x80 ? byte : base + byte);
  return text;
}

/** U+FFFD is what another program has left of a byte that it did not know. */
const unknown = /[\uf780-\uf7ff\ufffd]/;

export function hasUnknown(text: string): boolean {
  return unknown.test(text);
}

/** For people: the bytes as windows-1252, which they most likely are. */
export function guessUnknown(text: string): string {
  if (!hasUnknown(text)) return text;
  return text.replace(/[\uf780-\uf7ff]/g, (mark) => fromWindows1252(mark.charCodeAt(0) - base));
}

/** What windows-1252 has in 0x80 to 0x9f, where ISO 8859-1 has control characters; five bytes are not used. */
const upper =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function fromWindows1252(byte: number): string {
  return upper[byte - 0x80] ?? String.fromCharCode(byte);
}

/** Not by TextDecoder: some versions of Node decode windows-1252 as ISO 8859-1. */
export function decodeWindows1252(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return /[\x80-\x9f]/.test(text)
    ? text.replace(/[\x80-\x9f]/g, (character) => fromWindows1252(character.charCodeAt(0)))
    : text;
}
