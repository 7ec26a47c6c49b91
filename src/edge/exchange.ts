/**
 * One connection of a protocol of requests and replies (policy, socketmap, tcp, readsocket): requests in, answers out, in
 * the order of the requests, though some answers come later than others.
 *
 * Promises one write for the answers to one packet, at the end of the turn of the event loop in which it came; the witness
 * is told after that. While an answer is awaited, or the client does not read, nothing more is read: memory stays bounded
 * by a packet. A request must be whole within `requestTimeoutMs` of its first byte, our own waiting not counted. What is
 * not the protocol ends the connection, after the answers owed; so does the client's half-close.
 */
import type { Socket } from 'node:net';
import { messageOf } from '../errors.js';
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
  /** The client sends nothing more, which may make a request whole. Absent: it never does. Returns what is wrong. */
  end?(onRequest: (request: Request) => void): string | undefined;
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
  /** Nothing more is taken in: the client has shut down its side, or we have hung up on what is not the protocol. */
  let over: 'ended' | 'refused' | undefined;
  let blocked = false;

  const owes = (): boolean => ready.length > 0 || waiting.length > 0;

  function onData(chunk: Buffer): void {
    if (over !== undefined) return;
    const before = ready.length + waiting.length;
    const problem = parser.push(chunk, take);
    if (problem !== undefined) {
      refuse(problem);
      return;
    }
    const asked = ready.length + waiting.length > before;
    watch(asked);
    if (draining && !asked) setImmediate(leaveIfIdle);
  }

  function take(request: Request): void {
    const answer = options.answer(request, client);
    if (answer instanceof Promise) wait(answer);
    else put(answer);
  }

  /** Behind the answers that are awaited, if any. */
  function put(answer: Answer): void {
    if (waiting.length > 0) waiting.push({ answer });
    else if (ready.push(answer) === 1) options.batch(flush);
  }

  function wait(promise: Promise<Answer>): void {
    const slot: { answer: Answer | undefined } = { answer: undefined };
    waiting.push(slot);
    socket.pause();
    promise.then(
      (answer) => {
        slot.answer = answer;
        settle();
      },
      (error: unknown) => {
        // A defect. No answer is a defer in every one of these protocols.
        options.log.error({ edge: name, err: messageOf(error) }, 'answer failed: connection closed');
        socket.destroy();
      },
    );
  }

  function settle(): void {
    while (waiting[0]?.answer !== undefined) {
      if (ready.push(waiting[0].answer) === 1) options.batch(flush);
      waiting.shift();
    }
    if (waiting.length === 0) readOn();
  }

  function readOn(): void {
    if (blocked || waiting.length > 0) return;
    socket.resume();
    if (over === undefined) watch(false);
  }

  /** Writes the answers of this turn, then tells the witness of them. */
  function flush(): void {
    const answers = ready;
    ready = [];
    if (!socket.destroyed) write(answers);
    for (const { question, verdict } of answers)
      if (question !== undefined && verdict !== undefined) tell(options, question, verdict);
    if (waiting.length > 0) return;
    if (over !== undefined) close();
    else if (draining) setImmediate(leaveIfIdle);
  }

  function write(answers: readonly Answer[]): void {
    let text = '';
    for (const answer of answers) text += answer.text;
    if (!socket.write(text, 'latin1')) block();
  }

  /** A client that does not read its answers is not read either. */
  function block(): void {
    socket.pause();
    if (blocked) return;
    blocked = true;
    socket.once('drain', () => {
      blocked = false;
      readOn();
      if (draining) setImmediate(leaveIfIdle);
    });
  }

  /** Each request has its own time, from its first byte on; it stands still while we do not read. */
  function watch(asked: boolean): void {
    const pending = parser.pending() && waiting.length === 0;
    if (asked || !pending) clearTimeout(deadline);
    if (!pending) deadline = undefined;
    else if (asked || deadline === undefined)
      deadline = setTimeout(() => refuse('request not completed in time'), options.requestTimeoutMs).unref();
  }

  function onEnd(): void {
    if (over === undefined) {
      const problem = parser.end?.(take);
      if (problem !== undefined) mailLog.protocolError(name, client, problem);
      else if (parser.pending()) mailLog.protocolError(name, client, 'connection ended within a request');
    }
    over = 'ended';
    if (!owes()) close();
  }

  function refuse(problem: string): void {
    if (over !== undefined) return;
    over = 'refused';
    mailLog.protocolError(name, client, problem);
    clearTimeout(deadline);
    if (options.onProblem !== undefined) put({ text: options.onProblem });
    if (!owes()) close();
  }

  /** Everything owed is written. */
  function close(): void {
    if (over === 'ended') {
      socket.destroySoon();
      return;
    }
    // Read on and throw away: closing with input unread would reset the connection under the earlier answers.
    socket.end();
    socket.resume();
    clearTimeout(deadline);
    deadline = setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  function leaveIfIdle(): void {
    if (over !== undefined || owes() || parser.pending() || blocked) return;
    over = 'ended';
    socket.destroySoon();
  }

  function finish(): void {
    draining = true;
    // Two turns of the loop, so that what the client had asked by now is read and answered first.
    setImmediate(() => setImmediate(leaveIfIdle));
  }

  function onIdle(): void {
    if (!owes()) socket.destroy();
    // having gone off once, it would not start again by itself
    else socket.setTimeout(options.idleTimeoutMs);
  }

  socket.setTimeout(options.idleTimeoutMs);
  socket.on('timeout', onIdle);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', () => {
    clearTimeout(deadline);
    closed();
  });
  return { finish, destroy: () => socket.destroy() };
}
