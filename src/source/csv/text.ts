/**
 * The bytes of a list as text, whatever their encoding was.
 *
 * Promises: what passes is text without NUL. Refuses the rest with the line it stands on: Latin-1 read as UTF-8 would
 * silently turn into other addresses. Only where the encoding was to be found are bytes that are not UTF-8 let through, each
 * marked as unknown.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { RollcallError } from '../../errors.js';
import type { Encoding } from './sniff.js';
import { decodeWindows1252, markUnknown } from './unknown-bytes.js';

const runsKept = 10_000;
/** An address in ASCII: in UTF-16, every second byte of it would be zero. */
const singleBytes = /@[A-Za-z0-9-]{2,63}\.[A-Za-z]/;

export class TextReader {
  readonly #label: string;
  readonly #encoding: Encoding;
  /** Bytes at the end of the last piece that are the beginning of a character. */
  #carry: Buffer = Buffer.alloc(0);
  #line = 1;
  #last = '\n';
  #unknown = 0;
  #isCut = false;
  readonly #runs = new Map<string, string>();

  constructor(label: string, encoding: Encoding) {
    this.#label = label;
    this.#encoding = encoding;
  }

  /** Whether the last line ended with a line break. */
  get endsWithBreak(): boolean {
    return this.#last === '\n' || this.#last === '\r';
  }

  /** Whether it ends with the beginning of a character, which may also be one of another encoding. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** How many runs of bytes were not UTF-8, and are marked. */
  get unknown(): number {
    return this.#unknown;
  }

  /** The part of the text that is whole so far. Throws `input`. */
  push(bytes: Buffer): string {
    const all = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    const cut = all.length - this.#cutOff(all);
    // copied: a piece of the chunk would keep the whole of it
    this.#carry = Buffer.from(all.subarray(cut));
    return this.#checked(this.#decode(all.subarray(0, cut)));
  }

  /** What is left at the end of the list. Throws `input`. */
  end(): string {
    const rest = this.#carry;
    this.#carry = Buffer.alloc(0);
    if (rest.length > 0 && this.#encoding.name.startsWith('utf-16')) throw this.#invalid(this.#line);
    this.#isCut ||= this.#encoding.name === 'utf-8' && cutOffUtf8(rest) > 0;
    return this.#checked(this.#decode(rest));
  }

  #cutOff(bytes: Buffer): number {
    switch (this.#encoding.name) {
      case 'windows-1252':
        return 0;
      case 'utf-8':
        return this.#encoding.lenient ? highTail(bytes) : cutOffUtf8(bytes);
      default:
        return cutOffUtf16(bytes, this.#encoding.name === 'utf-16be');
    }
  }

  #decode(bytes: Buffer): string {
    switch (this.#encoding.name) {
      case 'windows-1252':
        return decodeWindows1252(bytes);
      case 'utf-8':
        return this.#decodeUtf8(bytes);
      case 'utf-16be':
        return this.#decodeUtf16(bytes, Buffer.from(bytes).swap16());
      default:
        return this.#decodeUtf16(bytes, bytes);
    }
  }

  #decodeUtf8(bytes: Buffer): string {
    if (isAscii(bytes)) return bytes.toString('latin1');
    if (isUtf8(bytes)) return bytes.toString('utf8');
    if (!this.#encoding.lenient) throw this.#invalid(this.#line + badLine(bytes));
    return bytes.toString('latin1').replace(/[\x80-\xff]+/g, (run) => this.#run(run));
  }

  /** A run of bytes that are not ASCII: UTF-8, or marked. */
  #run(run: string): string {
    const text = this.#runs.get(run) ?? decodeRun(Buffer.from(run, 'latin1'));
    if (isMarked(text)) this.#unknown += 1;
    if (run.length <= 12 && this.#runs.size < runsKept) this.#runs.set(run, text);
    return text;
  }

  #decodeUtf16(bytes: Buffer, units: Buffer): string {
    const text = units.toString('utf16le');
    const other = bytes.toString('latin1').search(singleBytes);
    if (other !== -1) {
      const line = this.#line + countBreaks(text.slice(0, other >> 1));
      const hint =
        'Two programs wrote it: what `>>` of PowerShell appends is another encoding. Write it anew, as UTF-8.';
      throw this.#refuse(line, 'the list is UTF-16, but an address stands there in another encoding', hint);
    }
    if (/\p{Surrogate}/u.test(text)) throw this.#invalid(this.#line);
    return text;
  }

  #checked(text: string): string {
    const nul = text.indexOf('\0');
    if (nul !== -1) {
      const line = this.#line + countBreaks(text.slice(0, nul));
      throw this.#refuse(line, 'there is a NUL byte', 'It is no text; or it is UTF-16: then set encoding.');
    }
    this.#line += countBreaks(text);
    this.#last = text.at(-1) ?? this.#last;
    return text;
  }

  #invalid(line: number): RollcallError {
    const { name } = this.#encoding;
    const hint = name === 'utf-8' ? 'Save it as UTF-8, or set encoding.' : 'Save it as UTF-8.';
    return this.#refuse(line, `the text is not valid ${name.toUpperCase()}`, hint);
  }

  #refuse(line: number, what: string, hint: string): RollcallError {
    return new RollcallError('input', `${this.#label}, line ${String(line)}: ${what}`, { hint });
  }
}

function decodeRun(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : markUnknown(bytes);
}

function isMarked(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 0xf780 && code <= 0xf7ff;
}

/** How many octets at the end are the beginning of a character (RFC 3629 §3). */
function cutOffUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const octet = bytes[bytes.length - back] ?? 0;
    if (octet < 0x80) return 0;
    if (octet >= 0xc0) return back < (octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

const longestRun = 4096;

/** How many octets at the end are not ASCII: a run is judged whole. */
function highTail(bytes: Buffer): number {
  let length = 0;
  while (length < Math.min(longestRun, bytes.length) && (bytes[bytes.length - 1 - length] ?? 0) >= 0x80)
    length += 1;
  return length === longestRun ? cutOffUtf8(bytes) : length;
}

/** How many octets at the end are half a code unit, or a high surrogate without its low one (RFC 2781 §2.1). */
function cutOffUtf16(bytes: Buffer, isBigEndian: boolean): number {
  const odd = bytes.length % 2;
  const whole = bytes.length - odd;
  if (whole < 2) return bytes.length;
  const high = bytes[isBigEndian ? whole - 2 : whole - 1] ?? 0;
  return odd + (high >= 0xd8 && high <= 0xdb ? 2 : 0);
}

function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
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
