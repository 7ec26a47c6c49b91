/** A policy server that answers `action=DUNNO` to every request without reading it: `policy.mjs PORT`. */

import { createServer } from 'node:net';

createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
    let answers = '';
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      answers += 'action=DUNNO\n\n';
      text = text.slice(end + 2);
    }
    if (answers !== '') socket.write(answers);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
