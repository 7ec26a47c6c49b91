/**
 * Finds the end of a message in the bytes of DATA, `<CRLF>.<CRLF>` (RFC 5321 §4.1.1.4), without taking the message apart.
 *
 * Promises that bytes pass as they are, dots stuffed as they came, and that both sides of the proxy see the same end: a
 * line that is a dot alone with any other line end before or after it (a bare CR or LF, NULs between) is `smuggling`,
 * because some servers take it for the end of the message and what follows for commands (RFC 5321 §2.3.8 and §4.1.1.4
 * forbid it). Nothing of such a line is handed on: a dot at the beginning of a line is kept back until it is known what
 * it is, which is two bytes at most. Other bare CRs and LFs end nothing anywhere, and pass.
 */

export type DataEvent =
  /** The message goes on. */
  | { readonly kind: 'more'; readonly forward: readonly Buffer[] }
  /** `forward` ends with the final dot; `rest` is what came behind it. */
  | { readonly kind: 'end'; readonly forward: readonly Buffer[]; readonly rest: Buffer }
  | { readonly kind: 'smuggling' };

export interface EndOfData {
  push(chunk: Buffer): DataEvent;
}

const text = 0;
/** After a CR. */
const cr = 1;
/** At the beginning of a line, after CRLF. */
const line = 2;
/** At the beginning of a line by a looser reading. */
const looseLine = 3;
const dot = 4;
const looseDot = 5;
const dotCr = 6;
const ended = 7;
const refused = 8;

const [NUL, LF, CR, DOT] = [0x00, 0x0a, 0x0d, 0x2e];

/** From each state, where NUL, LF, CR, dot and any other byte lead. */
const table: readonly (readonly [nul: number, lf: number, cr: number, dot: number, other: number])[] = [
  [text, looseLine, cr, text, text],
  [looseLine, line, cr, looseDot, text],
  [looseLine, looseLine, cr, dot, text],
  [looseLine, looseLine, cr, looseDot, text],
  [refused, refused, dotCr, text, text],
  [refused, refused, refused, text, text],
  [refused, ended, refused, refused, refused],
];

function step(state: number, byte: number): number {
  const row = table[state] ?? [refused, refused, refused, refused, refused];
  if (byte === LF) return row[1];
  if (byte === CR) return row[2];
  if (byte === DOT) return row[3];
  return byte === NUL ? row[0] : row[4];
}

const keptDot = Buffer.from('.');
const keptDotCr = Buffer.from('.\r');

/** How many bytes of a line that begins with a dot are kept back in a state. */
function keptIn(state: number): number {
  if (state === dotCr) return 2;
  return state === dot || state === looseDot ? 1 : 0;
}

export function createEndOfData(): EndOfData {
  // Right after the command DATA and its CRLF: a dot alone is an empty message.
  let state = line;

  function push(chunk: Buffer): DataEvent {
    const kept = keptIn(state);
    const forward: Buffer[] = kept === 0 ? [] : [kept === 1 ? keptDot : keptDotCr];
    const at = scan(chunk);
    if (state === refused) return { kind: 'smuggling' };
    if (state === ended) {
      forward.push(chunk.subarray(0, at));
      return { kind: 'end', forward, rest: chunk.subarray(at) };
    }
    return { kind: 'more', forward: cut(forward, chunk) };
  }

  /** Hands on all but what is kept back at the end. */
  function cut(forward: Buffer[], chunk: Buffer): Buffer[] {
    forward.push(chunk);
    let back = keptIn(state);
    while (back > 0) {
      const last = forward.pop() ?? keptDot;
      if (last.length > back) forward.push(last.subarray(0, last.length - back));
      back -= Math.min(back, last.length);
    }
    return forward;
  }

  /** Moves the state over the chunk; the place behind the final dot, when it is there. */
  function scan(chunk: Buffer): number {
    // NULs are rare, and make line ends hard to see for the quick way.
    const skip = chunk.includes(NUL) ? undefined : createSkip(chunk);
    let at = 0;
    while (at < chunk.length && state < ended) {
      if (state === text && skip !== undefined) at = skip(at);
      state = step(state, chunk[at] ?? NUL);
      at += 1;
    }
    return at;
  }

  return { push };
}

const lfDot = Buffer.from('\n.');
const crDot = Buffer.from('\r.');

/**
 * From the midst of a line to where the table has to be asked again: just before a line that begins with a dot, or just
 * before the end of the chunk. Native searches, as this sees every byte of every message.
 */
function createSkip(chunk: Buffer): (from: number) => number {
  let afterLf = -1;
  return (from) => {
    // Found once and kept: a chunk of many `\r.` must not be searched again for each.
    if (afterLf < from) {
      const found = chunk.indexOf(lfDot, from);
      afterLf = found === -1 ? chunk.length : found;
    }
    const found = chunk.subarray(from, afterLf).indexOf(crDot);
    const hit = found === -1 ? afterLf : from + found;
    // The byte before may be the CR of this line end; at the end of the chunk, the last two bytes tell the state.
    return Math.max(from, hit - (hit === chunk.length ? 2 : 1));
  };
}
