/** A next hop that takes every recipient and every message: for tests of what stands before it. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface AcceptAll {
  readonly port: number;
  close(): void;
}

export async function startAcceptAll(rcptReply = '250 2.1.5 Recipient ok'): Promise<AcceptAll> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    converse(socket, rcptReply);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function converse(socket: Socket, rcptReply: string): void {
  let rest = '';
  let inMessage = false;
  socket.write('220 next.hop ESMTP\r\n');
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (inMessage && line !== '.') continue;
      inMessage = /^DATA$/i.test(line);
      socket.write(`${replyTo(line.toUpperCase(), rcptReply)}\r\n`);
      if (/^QUIT$/i.test(line)) socket.end();
    }
  });
}

function replyTo(line: string, rcptReply: string): string {
  if (line === 'DATA') return '354 Go on';
  if (line === 'QUIT') return '221 2.0.0 Bye';
  if (line.startsWith('EHLO'))
    return '250-next.hop\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES';
  if (line.startsWith('RCPT')) return rcptReply;
  return '250 2.0.0 Ok';
}
