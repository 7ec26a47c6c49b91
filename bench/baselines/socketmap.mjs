/**
 * A socketmap server (`socketmap.mjs PORT [LIST]`): without a list it answers `OK x` to every netstring without reading it;
 * with one (an address a line) it looks the key up in a JavaScript Set.
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [port, list] = process.argv.slice(2);
const addresses = list === undefined ? undefined : new Set(readFileSync(list, 'utf8').split('\n'));
const found = '4:OK x,';
const notFound = '9:NOTFOUND ,';

function answer(request) {
  if (addresses === undefined) return found;
  return addresses.has(request.slice(request.indexOf(' ') + 1).toLowerCase()) ? found : notFound;
}

createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk;
    let answers = '';
    for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':')) {
      const end = colon + 1 + Number(text.slice(0, colon));
      if (text.length <= end) break;
      answers += answer(text.slice(colon + 1, end));
      text = text.slice(end + 1);
    }
    if (answers !== '') socket.write(answers);
  });
}).listen(Number(port), '127.0.0.1');
