/** Streams of bytes as packets, for codecs that must read the same however their input is cut. */
import { fc } from '../support/property.js';
import type { RequestParser } from '../../src/edge/exchange.js';

export interface Reading<Request> {
  readonly requests: readonly Request[];
  readonly problem: string | undefined;
}

/** Everything that a parser makes of the packets, and of their end. */
export function readAll<Request>(
  parser: RequestParser<Request>,
  chunks: readonly Buffer[],
): Reading<Request> {
  const requests: Request[] = [];
  for (const chunk of chunks) {
    // a copy, overwritten afterwards: a parser must not lean on memory that it was lent
    const lent = Buffer.from(chunk);
    const problem = parser.push(lent, (request) => requests.push(request));
    lent.fill(0x2c);
    if (problem !== undefined) return { requests, problem };
  }
  const problem = parser.end?.((request) => requests.push(request));
  return { requests, problem };
}

/** Cuts at the given places; those outside are left out. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const inside = places.filter((place) => place <= bytes.length).sort((a, b) => a - b);
  const edges = [0, ...inside, bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

/** All ways to cut once, and one byte a packet. */
export function everyCut(bytes: Buffer): Buffer[][] {
  const once = Array.from({ length: bytes.length + 1 }, (_, at) => cut(bytes, [at]));
  return [...once, [...bytes].map((byte) => Buffer.of(byte))];
}

/** Streams made of the given pieces or of any bytes, and places to cut them. */
export function streams(pieces: readonly string[]): fc.Arbitrary<readonly [Buffer, number[]]> {
  const bytes = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((all) => Buffer.from(all.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
  );
  return fc.tuple(bytes, fc.array(fc.nat(300), { maxLength: 20 }));
}
