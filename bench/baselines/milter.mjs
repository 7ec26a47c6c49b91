/**
 * A milter that answers CONTINUE to every recipient without reading it: `milter.mjs PORT`. It negotiates what Rollcall does,
 * so that both get the same frames.
 */

import { createServer } from 'node:net';

const agreed = Buffer.from('0000000d4f0000000600000000000f73f2', 'hex');
const goOn = Buffer.from('0000000163', 'hex');
const answers = new Map([
  [0x4f, agreed],
  [0x52, goOn],
  [0x45, goOn],
]);

createServer({ noDelay: true }, (socket) => {
  let bytes = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const out = [];
    let at = 0;
    for (; bytes.length - at >= 5; at += 4 + bytes.readUInt32BE(at)) {
      if (bytes.length - at < 4 + bytes.readUInt32BE(at)) break;
      const answer = answers.get(bytes[at + 4]);
      if (answer !== undefined) out.push(answer);
    }
    bytes = bytes.subarray(at);
    if (out.length > 0) socket.write(out.length === 1 ? out[0] : Buffer.concat(out));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
