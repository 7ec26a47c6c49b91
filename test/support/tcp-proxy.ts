/** A TCP proxy on loopback that does something in the middle of a conversation: for faults that need the right moment. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface ProxyMoment {
  /** Octets that have come from the server on this connection, all of them handed on. */
  readonly answered: number;
  /** What the client is about to send, not handed on yet. */
  readonly request: Buffer;
  /** Ends both sides with a reset. */
  readonly reset: () => void;
}

export interface TcpProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** `onRequest` is called, and waited for, before each packet of the client is handed on. */
export async function startProxy(
  targetPort: number,
  onRequest: (moment: ProxyMoment) => void | Promise<void>,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let answered = 0;
    let turn = Promise.resolve();
    target.on('data', (chunk: Buffer) => {
      answered += chunk.length;
      client.write(chunk);
    });
    client.on('data', (request: Buffer) => {
      const reset = (): void => {
        client.resetAndDestroy();
        target.resetAndDestroy();
      };
      turn = turn.then(async () => {
        await onRequest({ answered, request, reset });
        target.write(request);
      });
    });
    target.on('close', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
