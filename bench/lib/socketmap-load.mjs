/** A socketmap client (socketmap_table(5)): connections that are kept, one request in flight on each, as smtpd does it. */

import { once } from 'node:events';
import { connect } from 'node:net';

export function socketmapRequest(recipient) {
  const query = `recipients ${recipient}`;
  return `${query.length}:${query},`;
}

/** Opens a connection; `ask` sends a prepared request and resolves with the reply, as netstring. */
async function socketmapConnection(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
  await once(socket, 'connect');
  let text = '';
  let waiting;
  socket.on('data', (chunk) => {
    text += chunk;
    if (!text.endsWith(',')) return;
    const answer = text;
    text = '';
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the socketmap server closed the connection')));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** Asks `count` times over `connections` connections. Returns lookups per second and the replies by first word. */
export async function socketmapLoad({ port, count, connections, recipients }) {
  const requests = recipients.map((recipient) => Buffer.from(socketmapRequest(recipient), 'latin1'));
  const words = {};
  let next = 0;
  const open = await Promise.all(Array.from({ length: connections }, () => socketmapConnection(port)));
  const start = performance.now();
  const lane = async (connection) => {
    while (next < count) {
      const answer = await connection.ask(requests[next++ % requests.length]);
      const word = answer.slice(answer.indexOf(':') + 1, answer.search(/[ ,]/));
      words[word] = (words[word] ?? 0) + 1;
    }
  };
  await Promise.all(open.map(lane));
  const taken = (performance.now() - start) / 1000;
  for (const connection of open) connection.close();
  return { lookupsPerSecond: count / taken, words };
}
