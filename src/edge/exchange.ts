/**
 * One connection of a protocol of requests and replies (policy, socketmap, tcp, readsocket): requests in, answers out, in
 * the order of the requests, though some answers come later than others.
 *
 * Promises one write for the answers to one packet, at the end of the turn of the event loop in which it came; the witness
 * is told after that. While an answer is awaited, or the client does not read, nothing more is read: memory stays bounded
 * by a packet. A request must be whole within `requestTimeoutMs` of its first byte. What is not the protocol ends the
 * connection, after the answers owed.
 */
import type { Socket } from 'node:net';
import type { Question, Verdict } from '../policy/verdict.js';
import type { MailLog } from '../telemetry/mail-log.js';
import { ask, tell, type Asker } from './ask.js';
import type { Batch } from './batch.js';
import type { Session } from './listener.js';

export interface RequestParser<Request> {
  /** Calls `onRequest` for each whole request. Returns what is wrong, and then wants nothing more. */
  push(chunk: Buffer, onRequest: (request: Request) => void): string | undefined;
  /** Whether a request has begun and is not whole. */
  pending(): boolean;
}

/** What is sent (as latin1), and what the witness is told. */
export interface Answer {
  readonly text: string;
  readonly question?: Question;
  readonly verdict?: Verdict;
}

export interface ExchangeLimits {
  readonly idleTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface ExchangeOptions<Request> extends Asker, ExchangeLimits {
  /** Of the edge, for the mail log. */
  readonly name: string;
  readonly mailLog: MailLog;
  /** Shared by the sessions of an edge. */
  readonly batch: Batch;
  readonly parser: RequestParser<Request>;
  /** Must not throw, and its promise must not reject. */
  readonly answer: (request: Request, client: string | undefined) => Answer | Promise<Answer>;
  /** Sent before the connection is closed for something that is not the protocol; default: nothing. */
  readonly onProblem?: string;
  /** One request a connection: closed once it is answered. */
  readonly once?: boolean;
}

/** How long a client whose connection we close may take to read what it was sent. */
const lingerMs = 1000;

/** Asks, and puts the verdict into the words of the protocol. */
export function judged(
  asker: Asker,
  question: Question,
  toText: (verdict: Verdict) => string,
): Answer | Promise<Answer> {
  const verdict = ask(asker, question);
  return verdict instanceof Promise
    ? verdict.then((late) => ({ text: toText(late), question, verdict: late }))
    : { text: toText(verdict), question, verdict };
}

export function openExchange<Request>(
  socket: Socket,
  options: ExchangeOptions<Request>,
  closed: () => void,
): Session {
  const { parser, mailLog, name } = options;
  const client = socket.remoteAddress;
  let deadline: NodeJS.Timeout | undefined;
  /** Answers of this turn. */
  let ready: Answer[] = [];
  /** From the first answer that is awaited on, in order. */
  const waiting: { answer: Answer | undefined }[] = [];
  let draining = false;
  /** The client has shut down its side. */
  let ended = false;
  /** Nothing more is taken in. */
  let over = false;

  function onData(chunk: Buffer): void {
    if (over) return;
    const before = ready.length + waiting.length;
    const problem = parser.push(chunk, take);
    const asked = ready.length + waiting.length > before;
    if (problem !== undefined) {
      fail(problem);
      return;
    }
    watch(asked);
    if (draining && !asked) setImmediate(leaveIfIdle);
  }

  function take(request: Request): void {
    if (over) return;
    if (options.once === true) over = true;
    const answer = options.answer(request, client);
    if (answer instanceof Promise) void wait(answer);
    else if (waiting.length > 0) waiting.push({ answer });
    else give(answer);
  }

  function give(answer: Answer): void {
    if (ready.push(answer) === 1) options.batch(flush);
  }

  async function wait(promise: Promise<Answer>): Promise<void> {
    const slot: { answer: Answer | undefined } = { answer: undefined };
    waiting.push(slot);
    socket.pause();
    slot.answer = await promise;
    for (let first = waiting[0]; first?.answer !== undefined; first = waiting[0]) {
      waiting.shift();
      give(first.answer);
    }
    if (waiting.length === 0 && !socket.writableNeedDrain) socket.resume();
  }

  /** Writes the answers of this turn, then tells the witness of them. */
  function flush(): void {
    const answers = ready;
    ready = [];
    if (answers.length > 0 && !socket.destroyed) write(answers);
    for (const { question, verdict } of answers)
      if (question !== undefined && verdict !== undefined) tell(options, question, verdict);
    if (waiting.length > 0) return;
    if (ended || options.once === true) socket.destroySoon();
    else if (draining) setImmediate(leaveIfIdle);
  }

  function write(answers: readonly Answer[]): void {
    let text = '';
    for (const answer of answers) text += answer.text;
    if (!socket.write(text, 'latin1')) waitForDrain();
  }

  /** Each request has its own time, from its first byte on. */
  function watch(asked: boolean): void {
    if (asked || !parser.pending()) clearTimeout(deadline);
    if (!parser.pending()) deadline = undefined;
    else if (asked || deadline === undefined)
      deadline = setTimeout(() => fail('request not completed in time'), options.requestTimeoutMs).unref();
  }

  /** A client that does not read its answers is not read either. */
  function waitForDrain(): void {
    socket.pause();
    socket.once('drain', () => {
      if (waiting.length === 0) socket.resume();
      if (draining) setImmediate(leaveIfIdle);
    });
  }

  function onEnd(): void {
    if (parser.pending() && !over) mailLog.protocolError(name, client, 'connection ended within a request');
    over = ended = true;
    flush();
  }

  function fail(problem: string): void {
    if (over) return;
    over = true;
    mailLog.protocolError(name, client, problem);
    clearTimeout(deadline);
    if (options.onProblem !== undefined && waiting.length === 0) give({ text: options.onProblem });
    if (waiting.length > 0) ended = true;
    else hangUp();
  }

  function hangUp(): void {
    flush();
    // Read on and throw away: closing with input unread would reset the connection under the earlier answers.
    socket.end();
    socket.resume();
    deadline = setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  function leaveIfIdle(): void {
    const owes = ready.length > 0 || waiting.length > 0 || parser.pending();
    if (over || owes || socket.writableNeedDrain) return;
    over = true;
    socket.destroySoon();
  }

  function finish(): void {
    draining = true;
    // Two turns of the loop, so that what the client had asked by now is read and answered first.
    setImmediate(() => setImmediate(leaveIfIdle));
  }

  socket.setTimeout(options.idleTimeoutMs, () => {
    if (waiting.length === 0) socket.destroy();
  });
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', () => {
    clearTimeout(deadline);
    closed();
  });
  return { finish, destroy: () => socket.destroy() };
}
