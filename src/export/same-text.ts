/**
 * Whether the file in place says what the new one says. Reads both through, as a checksum in a file tells nothing of what
 * was done to it since: somebody edited it, a disk lost a part of it.
 *
 * Promises: bounded memory. The first line, which has the generation and the time, is left out.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 1 << 16;
const newline = 0x0a;

export function isSameText(one: string, other: string): boolean {
  const [a, b] = [openSync(one, 'r'), openSync(other, 'r')];
  try {
    let [restOfA, restOfB] = [afterFirstLine(a), afterFirstLine(b)];
    for (;;) {
      const length = Math.min(restOfA.length, restOfB.length);
      if (!restOfA.subarray(0, length).equals(restOfB.subarray(0, length))) return false;
      restOfA = filled(a, restOfA.subarray(length));
      restOfB = filled(b, restOfB.subarray(length));
      if (restOfA.length === 0 || restOfB.length === 0) return restOfA.length === restOfB.length;
    }
  } finally {
    closeSync(a);
    closeSync(b);
  }
}

function filled(fd: number, rest: Buffer): Buffer {
  if (rest.length > 0) return rest;
  const chunk = Buffer.allocUnsafe(chunkBytes);
  return chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, null));
}

/** What was read past it; the first line is far shorter than a chunk, or it is none of ours. */
function afterFirstLine(fd: number): Buffer {
  const chunk = filled(fd, Buffer.alloc(0));
  return chunk.subarray(chunk.indexOf(newline) + 1);
}
