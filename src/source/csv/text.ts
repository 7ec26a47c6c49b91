/**
 * The bytes of a list as valid UTF-8, whatever their encoding was.
 *
 * Promises: what passes is UTF-8 without NUL. Refuses the rest with the line it stands on: Latin-1 read as UTF-8 would
 * silently turn into other addresses.
 */
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { RollcallError } from '../../errors.js';
import type { Encoding } from './sniff.js';

export class TextCheck {
  readonly #label: string;
  readonly #decoder: TextDecoder | undefined;
  #carry: Buffer = Buffer.alloc(0);
  #line = 1;
  #last = 0x0a;

  constructor(label: string, encoding: Encoding['name']) {
    this.#label = label;
    if (encoding !== 'utf-8') this.#decoder = new TextDecoder(encoding, { fatal: true });
  }

  /** Whether the last line ended with a line break. */
  get endsWithBreak(): boolean {
    return this.#last === 0x0a || this.#last === 0x0d;
  }

  /** The part of the text that is whole so far. Throws `input`. */
  push(bytes: Buffer): Buffer {
    return this.#checked(this.#decoder === undefined ? this.#whole(bytes) : this.#decode(bytes, false));
  }

  /** What is left at the end of the list. Throws `input`. */
  end(): Buffer {
    if (this.#decoder !== undefined) return this.#checked(this.#decode(Buffer.alloc(0), true));
    const rest = this.#carry;
    this.#carry = Buffer.alloc(0);
    return this.#checked(rest);
  }

  /** Keeps back a character that is cut off at the end of the bytes. */
  #whole(bytes: Buffer): Buffer {
    const all = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    const cut = all.length - cutOff(all);
    this.#carry = all.subarray(cut);
    return all.subarray(0, cut);
  }

  #decode(bytes: Buffer, last: boolean): Buffer {
    try {
      return Buffer.from(this.#decoder?.decode(bytes, { stream: !last }) ?? '');
    } catch {
      throw this.#refuse(this.#line, `the text is not valid ${this.#decoder?.encoding ?? ''}`);
    }
  }

  #checked(text: Buffer): Buffer {
    if (this.#decoder === undefined && !isUtf8(text)) {
      throw this.#refuse(
        this.#line + badLine(text),
        'the text is not valid UTF-8',
        'Save it as UTF-8, or set encoding.',
      );
    }
    const nul = text.indexOf(0);
    if (nul !== -1) {
      const line = this.#line + countBreaks(text.subarray(0, nul));
      throw this.#refuse(line, 'there is a NUL byte', 'It is no text; or it is UTF-16: then set encoding.');
    }
    this.#line += countBreaks(text);
    this.#last = text.at(-1) ?? this.#last;
    return text;
  }

  #refuse(line: number, what: string, hint = ''): RollcallError {
    return new RollcallError('input', `${this.#label}, line ${String(line)}: ${what}`, { hint });
  }
}

/** How many octets at the end are the beginning of a character (RFC 3629 §3). */
function cutOff(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const octet = bytes[bytes.length - back] ?? 0;
    if (octet < 0x80) return 0;
    if (octet >= 0xc0) return back < (octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function countBreaks(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(0x0a); at !== -1; at = text.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

/** Index of the first line that is not UTF-8. */
function badLine(text: Buffer): number {
  let line = 0;
  let start = 0;
  for (let end = text.indexOf(0x0a); end !== -1; end = text.indexOf(0x0a, start)) {
    if (!isUtf8(text.subarray(start, end))) return line;
    line += 1;
    start = end + 1;
  }
  return line;
}
