/**
 * One connection of a Postfix smtpd (or whoever speaks its policy protocol): requests in, answers out, in order.
 *
 * Promises one write for the answers to one packet, at the end of the turn of the event loop in which it came; the witness is
 * told after that. A recipient is judged in the state RCPT, where each one is asked
 * about by itself, or when no state is given (a person with netcat); in every other state the answer is DUNNO. RCPT
 * without a recipient is deferred: we do not know whom it is about. Something that is not the protocol is answered by
 * closing the connection without a word, on which Postfix tries once more and then answers 451, never a permit.
 */
import type { Socket } from 'node:net';
import { replies, type Question, type Verdict } from '../../policy/verdict.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import { ask, octetsToText, tell, type Asker } from '../ask.js';
import type { Batch } from '../batch.js';
import type { Session } from '../listener.js';
import { createPolicyParser, type PolicyRequest } from './codec.js';
import { dunno, policyReply } from './reply.js';

export interface PolicySessionOptions extends Asker {
  readonly mailLog: MailLog;
  readonly maxRequestBytes: number;
  readonly idleTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Shared by the sessions of an edge. */
  readonly batch: Batch;
}

/** How long a client whose connection we close may take to read what it was sent. */
const lingerMs = 1000;

const nobody = policyReply({ ...replies.failure, reason: 'failure' });

export function openPolicySession(
  socket: Socket,
  options: PolicySessionOptions,
  closed: () => void,
): Session {
  const parser = createPolicyParser(options.maxRequestBytes);
  const client = socket.remoteAddress;
  let deadline: NodeJS.Timeout | undefined;
  let answers = '';
  let verdicts: [Question, Verdict][] = [];
  let draining = false;
  let over = false;

  function onData(chunk: Buffer): void {
    if (over) return;
    const waiting = answers.length;
    const problem = parser.push(chunk, answer);
    const answered = answers.length > waiting;
    if (problem !== undefined) {
      flush();
      fail(problem);
      return;
    }
    watch(answered);
    if (waiting === 0 && answered) options.batch(flush);
    else if (draining) setImmediate(leaveIfIdle);
  }

  /** Writes the answers that wait, then tells the witness of them. */
  function flush(): void {
    if (answers === '') return;
    const [text, told] = [answers, verdicts];
    answers = '';
    verdicts = [];
    if (!socket.destroyed && !socket.write(text, 'latin1')) waitForDrain();
    for (const [question, verdict] of told) tell(options, question, verdict);
    if (draining) setImmediate(leaveIfIdle);
  }

  function answer(request: PolicyRequest): void {
    const judged = request.state === 'RCPT' || (request.state === '' && request.recipient !== '');
    if (!judged) answers += dunno;
    else if (request.recipient === '') answers += nobody;
    else judge(request);
  }

  function judge(request: PolicyRequest): void {
    const question: Question = {
      recipient: octetsToText(request.recipient),
      form: 'internal',
      sender: request.sender === undefined ? undefined : octetsToText(request.sender),
      client: request.client,
      edge: 'policy',
    };
    const verdict = ask(options, question);
    answers += policyReply(verdict);
    verdicts.push([question, verdict]);
  }

  /** Each request has its own time, from its first byte on. */
  function watch(answered: boolean): void {
    if (answered || !parser.pending()) clearTimeout(deadline);
    if (!parser.pending()) deadline = undefined;
    else if (answered || deadline === undefined)
      deadline = setTimeout(() => fail('request not completed in time'), options.requestTimeoutMs).unref();
  }

  /** A client that does not read its answers is not read either. */
  function waitForDrain(): void {
    socket.pause();
    socket.once('drain', () => {
      socket.resume();
      if (draining) setImmediate(leaveIfIdle);
    });
  }

  function onEnd(): void {
    if (over) return;
    if (parser.pending())
      options.mailLog.protocolError('policy', client, 'connection ended within a request');
    flush();
    over = true;
    socket.destroySoon();
  }

  function fail(problem: string): void {
    if (over) return;
    over = true;
    options.mailLog.protocolError('policy', client, problem);
    clearTimeout(deadline);
    // Read on and throw away: closing with input unread would reset the connection under the earlier answers.
    socket.end();
    socket.resume();
    deadline = setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  function leaveIfIdle(): void {
    if (over || answers !== '' || parser.pending() || socket.writableNeedDrain) return;
    over = true;
    socket.destroySoon();
  }

  function finish(): void {
    draining = true;
    // Two turns of the loop, so that what Postfix had asked by now is read and answered first.
    setImmediate(() => setImmediate(leaveIfIdle));
  }

  socket.setTimeout(options.idleTimeoutMs, () => socket.destroy());
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', () => {
    clearTimeout(deadline);
    closed();
  });
  return { finish, destroy: () => socket.destroy() };
}
