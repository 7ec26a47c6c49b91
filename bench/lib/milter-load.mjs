/**
 * The MTA's side of the milter protocol, with the frames and the packets of Postfix 3.7: connections that are kept, one
 * recipient in flight on each; what is not waited for leaves together with the next recipient.
 */

import { once } from 'node:events';
import { connect } from 'node:net';

const perMessage = 10;

function frame(letter, ...strings) {
  const data = Buffer.from(letter + strings.map((each) => `${each}\0`).join(''), 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

const offer = Buffer.from('0000000d4f00000006000001ff001fffff', 'hex');
const abort = frame('A');
const connected = Buffer.concat([
  frame(
    'DC',
    'j',
    'mx.example',
    '{daemon_name}',
    'mx.example',
    '{daemon_addr}',
    '127.0.0.1',
    'v',
    'Postfix 3.7.11',
  ),
  frame('C', 'load.sender.example', '4\x9c\x40192.0.2.7'),
  frame('DH'),
  frame('DU'),
]);
const mail = Buffer.concat([
  frame('DM', '{mail_addr}', 'load@sender.example', '{mail_host}', 'sender.example', '{mail_mailer}', 'smtp'),
  frame('M', '<load@sender.example>', 'SIZE=1000'),
]);

function recipientFrames(recipient) {
  const host = recipient.slice(recipient.lastIndexOf('@') + 1);
  const macros = [
    'i',
    'AD0C4214A3F',
    '{rcpt_addr}',
    recipient,
    '{rcpt_host}',
    host,
    '{rcpt_mailer}',
    'relay',
  ];
  return Buffer.concat([frame('DR', ...macros), frame('R', `<${recipient}>`)]);
}

/** Opens a connection; `ask` sends prepared bytes and resolves with the first letter of the answer, and its code. */
async function milterConnection(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let bytes = Buffer.alloc(0);
  let waiting;
  socket.on('data', (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (bytes.length < 5 || bytes.length < 4 + bytes.readUInt32BE(0)) return;
    const answer = bytes.toString('latin1', 4, 8);
    bytes = Buffer.alloc(0);
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the milter closed the connection')));
  const ask = (request) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      socket.write(request);
    });
  await ask(offer);
  return { ask, close: () => socket.destroy() };
}

/**
 * Asks about `count` recipients over `connections` connections, ten a message. Returns recipients per second and the answers:
 * `c`, `y550`.
 */
export async function milterLoad({ port, count, connections, recipients }) {
  const prepared = recipients.map((recipient, at) => {
    const frames = recipientFrames(recipient);
    return at % perMessage === 0 ? Buffer.concat([abort, mail, frames]) : frames;
  });
  const answers = {};
  let next = 0;
  const open = await Promise.all(Array.from({ length: connections }, () => milterConnection(port)));
  const start = performance.now();
  const lane = async (connection) => {
    for (let first = true; next < count;) {
      const from = next;
      next += perMessage;
      for (let at = from; at < from + perMessage; at += 1) {
        const request = prepared[at % prepared.length];
        const answer = await connection.ask(first ? Buffer.concat([connected, request]) : request);
        first = false;
        answers[answer] = (answers[answer] ?? 0) + 1;
      }
    }
  };
  await Promise.all(open.map(lane));
  const taken = (performance.now() - start) / 1000;
  for (const connection of open) connection.close();
  return { recipientsPerSecond: count / taken, answers };
}
