/**
 * Control's end of the live socket: reads questions, answers them in any order.
 *
 * Promises bounds on everything a client can take: connections, questions under way, what waits to be read. What is not the
 * protocol closes the connection, and so does a client that does not read its answers.
 */
import type { Socket } from 'node:net';
import type { AskLive, LiveQuestion } from './answer.js';
import { readLines } from './lines.js';
import { decodeQuestion, encodeAnswer, maxQuestion } from './wire.js';

export interface LiveServerOptions {
  readonly ask: AskLive;
  /** Default 32. */
  readonly maxConnections?: number;
}

export interface LiveServer {
  /** Takes over a connection that was accepted. */
  serve(socket: Socket): void;
  /** Cuts every connection; whoever waits there takes that for no answer. */
  close(): void;
}

/** Of one connection. */
const maxUnderWay = 1000;
const maxUnread = 1_048_576;

export function createLiveServer({ ask, maxConnections = 32 }: LiveServerOptions): LiveServer {
  const open = new Set<Socket>();

  function serve(socket: Socket): void {
    if (open.size >= maxConnections) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    converse(socket, ask);
  }

  return {
    serve,
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

function converse(socket: Socket, ask: AskLive): void {
  let underWay = 0;

  async function answer(id: number, question: LiveQuestion): Promise<void> {
    underWay += 1;
    const given = await ask(question);
    underWay -= 1;
    if (!socket.writable) return;
    socket.write(encodeAnswer(id, given));
    if (socket.writableLength > maxUnread) socket.destroy();
  }

  readLines(socket, maxQuestion, (line) => {
    const asked = decodeQuestion(line);
    if (asked === undefined || underWay >= maxUnderWay) return false;
    void answer(asked.id, asked.body);
    return true;
  });
}
