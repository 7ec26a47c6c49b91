/** Postfix's side of the policy protocol: one kept connection, one question at a time. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const answerDeadlineMs = 10_000;

export interface PolicyClient {
  /** The action: `DUNNO`, `550 5.1.1 …`. Rejects when the connection is gone. */
  ask(recipient: string): Promise<string>;
  isOpen(): boolean;
  /** Resolves when the other side has closed. */
  closed(): Promise<void>;
  close(): void;
}

export async function connectPolicy(port: number): Promise<PolicyClient> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setEncoding('utf8');
  socket.on('error', () => undefined);
  const gone = once(socket, 'close');
  return {
    ask: (recipient) => ask(socket, recipient),
    isOpen: () => socket.readyState === 'open',
    closed: async () => {
      await gone;
    },
    close: () => socket.destroy(),
  };
}

async function ask(socket: Socket, recipient: string): Promise<string> {
  socket.write(
    `request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@elsewhere.test\nrecipient=${recipient}\n\n`,
  );
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(answerDeadlineMs) })) as [
    string,
  ];
  return answer.replace(/^action=/, '').trim();
}

/** One question on a connection of its own; a connection that is refused or lost is the answer `gone`. */
export async function askOnce(port: number, recipient: string): Promise<string> {
  let client: PolicyClient | undefined;
  try {
    client = await connectPolicy(port);
    return await client.ask(recipient);
  } catch {
    return 'gone';
  } finally {
    client?.close();
  }
}
