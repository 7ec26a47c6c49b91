/**
 * A milter client that asks about one recipient, as an MTA that offers no optional step of the protocol: every command is
 * answered. With the macro `{rcpt_addr}`, as Postfix and Sendmail send it. Says `c` (continue) or the reply code and text.
 */
import { connect } from 'node:net';
import { once } from 'node:events';

function frame(command: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length + 1);
  return Buffer.concat([head, Buffer.from(command, 'latin1'), data]);
}

const strings = (...values: readonly string[]): Buffer =>
  Buffer.from(values.map((value) => `${value}\0`).join(''));

/** Version 6, no actions, no protocol steps (SMFIP_*) that could be left out. */
const negotiation = Buffer.from([0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
/** Host name, family, port, address. */
const client = Buffer.concat([
  strings('client.elsewhere.test'),
  Buffer.from('4\x9c\x40', 'latin1'),
  strings('192.0.2.1'),
]);

export async function askMilter(port: number, from: string, recipient: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    socket.emit('more');
  });
  const reply = async (): Promise<string> => {
    while (buffer.length < 4 || buffer.length < 4 + buffer.readUInt32BE()) {
      await once(socket, 'more', { signal: AbortSignal.timeout(10_000) });
    }
    const end = 4 + buffer.readUInt32BE();
    const text = buffer.subarray(4, end).toString('latin1');
    buffer = buffer.subarray(end);
    return text;
  };
  const steps = [
    frame('O', negotiation),
    frame('C', client),
    frame('H', strings('client.elsewhere.test')),
    frame('M', strings(`<${from}>`)),
    Buffer.concat([
      frame('D', Buffer.concat([Buffer.from('R'), strings('{rcpt_addr}', recipient)])),
      frame('R', strings(`<${recipient}>`)),
    ]),
  ];
  let last = '';
  for (const step of steps) {
    socket.write(step);
    last = await reply();
  }
  socket.end(frame('Q'));
  return last;
}
