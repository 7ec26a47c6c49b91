/** The TLS handshake with a client: done, or not in time. */
import type { TLSSocket } from 'node:tls';

export function handshake(socket: TLSSocket, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(false), timeoutMs);
    const settle = (done: boolean): void => {
      clearTimeout(timer);
      resolve(done);
    };
    socket.once('secure', () => settle(true));
    socket.once('close', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
