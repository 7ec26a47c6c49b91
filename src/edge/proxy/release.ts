/**
 * Gives the memory of a chunk back at once, instead of when the garbage collector comes.
 *
 * Each read from a socket is a new buffer of up to 64 KB outside V8's heap, and V8 lets some 64 MB of such memory gather
 * before it looks, whatever the limits on its heap. Handing the memory over to a closed message port frees it: the chunk is
 * empty from then on, so nobody may hold it or a part of it. Refuses chunks that share their memory with others.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller ones are not worth the call. */
const minBytes = 4096;

let nowhere: MessagePort | undefined;

export function release(chunk: Buffer): void {
  const { buffer } = chunk;
  const isWhole = chunk.byteOffset === 0 && chunk.length === buffer.byteLength;
  if (!isWhole || chunk.length < minBytes || !(buffer instanceof ArrayBuffer)) return;
  nowhere ??= closedPort();
  nowhere.postMessage(undefined, [buffer]);
}

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.close();
  return port1;
}
