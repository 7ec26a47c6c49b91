/** An SMTP server that takes every message and throws it away: `smtp-sink.mjs PORT` */

import { createServer } from 'node:net';

const server = createServer({ noDelay: true }, (socket) => {
  let data = false;
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.write('220 sink ESMTP\r\n');
  socket.on('data', (chunk) => {
    rest += chunk;
    for (;;) {
      const end = rest.indexOf(data ? '\r\n.\r\n' : '\r\n');
      if (end === -1) break;
      const command = rest.slice(0, 4).toUpperCase();
      rest = rest.slice(end + (data ? 5 : 2));
      if (data) socket.write('250 2.0.0 Taken\r\n');
      else if (command === 'EHLO') socket.write('250-sink\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n');
      else if (command === 'DATA') socket.write('354 Go ahead\r\n');
      else if (command === 'QUIT') socket.end('221 2.0.0 Bye\r\n');
      else socket.write('250 2.0.0 Ok\r\n');
      data = !data && command === 'DATA';
    }
    // only the end of a message matters
    if (data && rest.length > 4) rest = rest.slice(-4);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
