/** Where a next hop is, and the TCP connection to it: there in time, or an error that says why not. */
import { connect, type Socket } from 'node:net';

export interface NextHop {
  /** An IP address or a name. */
  readonly host: string;
  readonly port: number;
}

/** What stands in the way of a next hop, in words for the log. */
export class NextHopError extends Error {
  override readonly name: string = 'NextHopError';
}

/** `mail.example.com:25`, `[2001:db8::1]:25`. */
export function describeHop({ host, port }: NextHop): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Throws NextHopError. */
export function connectTo(target: NextHop, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const fail = (why: string): void => {
      settle();
      socket.destroy();
      reject(new NextHopError(why));
    };
    const timer = setTimeout(() => fail('no connection in time'), timeoutMs);
    const onAbort = (): void => fail('the client is gone');
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    socket.on('error', (error) => fail(`no connection: ${codeOf(error)}`));
    socket.once('connect', () => {
      settle();
      socket.removeAllListeners('error');
      resolve(socket);
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
