/**
 * Frames of the milter protocol, both ways.
 *
 * Promises the same frames however the bytes are cut into packets, and memory bounded by one packet and one frame of
 * 64 KiB: what this edge does not read (headers, body) is thrown away as it comes. Refuses, for good, a letter that is no
 * command, and a length of nothing or of more than any MTA sends.
 */
import { commands } from './protocol.js';

export interface Frame {
  readonly command: string;
  /** Octets as latin1 text; empty for the commands whose data nobody reads. */
  readonly data: string;
}

export interface FrameReader {
  push(chunk: Buffer): void;
  /** The next whole frame; undefined when there is none yet. A string says what is wrong: then nothing comes after it. */
  next(): Frame | string | undefined;
  /** Whether there are bytes that were not handed out. */
  pending(): boolean;
}

const lengthBytes = 4;
const headBytes = lengthBytes + 1;

/** Of a frame that is kept: libmilter's MILTER_MAX_DATA_SIZE, and the letter. */
const maxKept = 65_535 + 1;
/** Of a frame that is thrown away: the largest that can be negotiated (SMFIP_MDS_1M), and the letter. */
const maxDropped = 1_048_575 + 1;

const letters: ReadonlySet<string> = new Set(Object.values(commands));
const kept: ReadonlySet<string> = new Set([
  commands.negotiate,
  commands.macro,
  commands.connect,
  commands.mail,
  commands.recipient,
]);

export function createFrameReader(): FrameReader {
  // As latin1 text, where one character is one octet: searching and cutting text is cheaper than bytes.
  let text = '';
  let at = 0;
  /** Came after `text`, and is too little for anything to happen. */
  let parts: string[] = [];
  let partsLength = 0;
  let needed = headBytes;
  /** The frame that is being thrown away, and how much of it is to come. */
  let dropping: { readonly frame: Frame; left: number } | undefined;

  function push(chunk: Buffer): void {
    parts.push(chunk.toString('latin1'));
    partsLength += chunk.length;
    if (available() + partsLength < needed) return;
    text = parts.length === 1 && at === text.length ? (parts[0] ?? '') : text.slice(at) + parts.join('');
    at = partsLength = 0;
    parts = [];
  }

  function next(): Frame | string | undefined {
    if (dropping !== undefined) return drop(dropping);
    if (!has(headBytes)) return undefined;
    const length = uint32At(text, at);
    const command = text[at + lengthBytes] ?? '';
    const isKept = kept.has(command);
    if (length === 0 || length > (isKept ? maxKept : maxDropped)) return 'a frame of a length that cannot be';
    if (!letters.has(command)) return 'a command that does not exist';
    if (!isKept) {
      at += headBytes;
      return drop({ frame: { command, data: '' }, left: length - 1 });
    }
    if (!has(lengthBytes + length)) return undefined;
    const data = text.slice(at + headBytes, at + lengthBytes + length);
    at += lengthBytes + length;
    return { command, data };
  }

  function drop(what: { readonly frame: Frame; left: number }): Frame | undefined {
    const taken = Math.min(what.left, available());
    at += taken;
    what.left -= taken;
    dropping = what.left === 0 ? undefined : what;
    if (dropping === undefined) return what.frame;
    waitFor(1);
    return undefined;
  }

  function has(bytes: number): boolean {
    const enough = available() >= bytes;
    if (!enough) waitFor(bytes);
    return enough;
  }

  function waitFor(bytes: number): void {
    // A copy: a slice would keep the whole packet's memory alive.
    if (at > 0) text = available() === 0 ? '' : copy(text.slice(at));
    at = 0;
    needed = bytes;
  }

  function available(): number {
    return text.length - at;
  }

  return { push, next, pending: () => available() + partsLength > 0 || dropping !== undefined };
}

/** The same octets in memory of their own. */
export function copy(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('latin1');
}

/** `data` holds octets. */
export function frame(command: string, data = ''): string {
  return uint32(data.length + 1) + command + data;
}

export function uint32(value: number): string {
  return String.fromCharCode(
    (value >>> 24) & 0xff,
    (value >>> 16) & 0xff,
    (value >>> 8) & 0xff,
    value & 0xff,
  );
}

export function uint32At(octets: string, at: number): number {
  const high = (octets.charCodeAt(at) << 16) | (octets.charCodeAt(at + 1) << 8) | octets.charCodeAt(at + 2);
  return high * 256 + octets.charCodeAt(at + 3);
}
