/**
 * A small real SMTP client: connects, sends commands, reads replies of one or many lines, pipelines recipients.
 *
 * Promises a deadline on every reply, so that a server that hangs fails the test that asked, with what was said so far.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface SmtpClient {
  /** Sends one command; its whole reply, lines joined with a line feed. */
  ask(command: string): Promise<string>;
  /** Sends all commands at once (RFC 2920); their replies, in order. */
  pipeline(commands: readonly string[]): Promise<string[]>;
  /** QUIT, and the end of the connection. */
  quit(): Promise<void>;
  close(): void;
}

const replyDeadlineMs = 20_000;
/** Commands under way at a time: their replies fit into any socket buffer. */
const window = 100;

/** Connects, from the address `from` if it is given, and takes the greeting. Throws when that is not 220. */
export async function connectSmtp(port: number, host = '127.0.0.1', from?: string): Promise<SmtpClient> {
  const socket = connect({ port, host, noDelay: true, ...(from !== undefined && { localAddress: from }) });
  const next = replies(socket);
  const client: SmtpClient = {
    async ask(command) {
      socket.write(`${command}\r\n`);
      return next(command);
    },
    async pipeline(commands) {
      const got: string[] = [];
      for (let from = 0; from < commands.length; from += window) {
        const batch = commands.slice(from, from + window);
        socket.write(batch.map((command) => `${command}\r\n`).join(''));
        for (const command of batch) got.push(await next(command));
      }
      return got;
    },
    async quit() {
      await client.ask('QUIT');
      socket.destroy();
    },
    close: () => socket.destroy(),
  };
  const greeting = await next('the connection');
  if (!greeting.startsWith('220')) throw new Error(`no greeting but: ${greeting}`);
  return client;
}

/** One whole session: EHLO, MAIL, all recipients, QUIT. The replies to the recipients, in order. */
export async function session(port: number, from: string, recipients: readonly string[]): Promise<string[]> {
  const client = await connectSmtp(port);
  try {
    await expectCode(client, 'EHLO client.elsewhere.test', '250');
    await expectCode(client, `MAIL FROM:<${from}>`, '250');
    const answers = await client.pipeline(recipients.map((recipient) => `RCPT TO:<${recipient}>`));
    await client.quit();
    return answers;
  } finally {
    client.close();
  }
}

async function expectCode(client: SmtpClient, command: string, code: string): Promise<void> {
  const reply = await client.ask(command);
  if (!reply.startsWith(code)) throw new Error(`${command} was answered ${reply}`);
}

/** Reads replies off a socket: each call gives the next one. */
function replies(socket: Socket): (to: string) => Promise<string> {
  const ready: string[] = [];
  let partial = '';
  let lines: string[] = [];
  let ended: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    const parts = (partial + chunk.toString('utf8')).split('\r\n');
    partial = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow
      if (line[3] === '-') continue;
      ready.push(lines.join('\n'));
      lines = [];
    }
    socket.emit('reply');
  });
  const onEnd = (why: string): void => {
    ended ??= why;
    socket.emit('reply');
  };
  socket.on('error', (error) => onEnd(error.message));
  socket.on('close', () => onEnd('the server closed the connection'));
  return async (to) => {
    const deadline = AbortSignal.timeout(replyDeadlineMs);
    while (ready.length === 0 && ended === undefined) {
      await once(socket, 'reply', { signal: deadline }).catch((cause: unknown) => {
        throw new Error(`no reply to ${to} within ${replyDeadlineMs / 1000} s`, { cause });
      });
    }
    const reply = ready.shift();
    if (reply === undefined) throw new Error(`no reply to ${to}: ${ended ?? ''}`);
    return reply;
  };
}
