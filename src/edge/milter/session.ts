/**
 * One milter connection: frames in, answers out, in order, one command at a time.
 *
 * Promises that a command after one whose verdict is still awaited waits in its turn, unread, so memory stays bounded by a
 * packet; one write for the answers of one turn of the event loop; a frame whole within `requestTimeoutMs` of its first byte. A
 * connection may be silent for as long as an SMTP session is (`idleTimeoutMs`). What is not the protocol closes it, after the
 * answers owed: on a closed connection the MTA defers. At a drain it leaves between two transactions.
 */
import type { Socket } from 'node:net';
import type { MailLog } from '../../telemetry/mail-log.js';
import { tell } from '../ask.js';
import type { Batch } from '../batch.js';
import type { Answer, ExchangeLimits } from '../exchange.js';
import type { Session } from '../listener.js';
import { createFrameReader } from './codec.js';
import { createConversation, type ConversationOptions, type Outcome } from './conversation.js';

export interface MilterSessionOptions extends ConversationOptions, ExchangeLimits {
  readonly mailLog: MailLog;
  /** Shared by the sessions of an edge. */
  readonly batch: Batch;
}

/** How long an MTA whose connection we close may take to read what it was sent. */
const lingerMs = 1000;
/** Connections may be silent for hours: a dead peer is found out by the kernel. */
const keepAliveMs = 60_000;

export function openMilterSession(
  socket: Socket,
  options: MilterSessionOptions,
  closed: () => void,
): Session {
  const { mailLog, batch } = options;
  const peer = socket.remoteAddress;
  const reader = createFrameReader();
  const conversation = createConversation(options);
  let deadline: NodeJS.Timeout | undefined;
  /** Answers of this turn. */
  let ready: Answer[] = [];
  /** A verdict is awaited. */
  let waiting = false;
  let draining = false;
  /** Nothing more comes, or is wanted. */
  let over = false;

  function onData(chunk: Buffer): void {
    if (over) return;
    reader.push(chunk);
    advance();
  }

  /** Takes what is there, up to a command that has to wait. */
  function advance(): void {
    let taken = false;
    while (!waiting && !over) {
      const frame = reader.next();
      if (frame === undefined) break;
      if (typeof frame === 'string') fail(frame);
      else follow(conversation.take(frame));
      taken = true;
    }
    watch(taken);
    if (draining) setImmediate(leaveIfIdle);
  }

  function follow(outcome: Outcome): void {
    if (outcome === 'nothing') return;
    if (outcome === 'quit') leave();
    else if (outcome instanceof Promise) void wait(outcome);
    else if ('problem' in outcome) fail(outcome.problem);
    else give(outcome);
  }

  function give(answer: Answer): void {
    if (ready.push(answer) === 1) batch(flush);
  }

  async function wait(promise: Promise<Answer>): Promise<void> {
    waiting = true;
    socket.pause();
    const answer = await promise;
    waiting = false;
    give(answer);
    if (!socket.writableNeedDrain) socket.resume();
    advance();
  }

  /** Writes the answers of this turn, then tells the witness of them. */
  function flush(): void {
    const answers = ready;
    ready = [];
    if (answers.length > 0 && !socket.destroyed) write(answers);
    for (const { question, verdict } of answers)
      if (question !== undefined && verdict !== undefined) tell(options, question, verdict);
  }

  function write(answers: readonly Answer[]): void {
    let text = '';
    for (const answer of answers) text += answer.text;
    if (socket.write(text, 'latin1')) return;
    // An MTA that does not read its answers is not read either.
    socket.pause();
    socket.once('drain', () => {
      if (!waiting) socket.resume();
      if (draining) setImmediate(leaveIfIdle);
    });
  }

  /** Each frame has its own time, from its first byte on. */
  function watch(taken: boolean): void {
    if (over) return;
    const pending = reader.pending() && !waiting;
    if (taken || !pending) {
      clearTimeout(deadline);
      deadline = undefined;
    }
    if (pending && deadline === undefined)
      deadline = setTimeout(() => fail('a command not completed in time'), options.requestTimeoutMs).unref();
  }

  function onEnd(): void {
    if (over) return;
    if (reader.pending()) mailLog.protocolError('milter', peer, 'connection ended within a command');
    leave();
  }

  function leave(): void {
    over = true;
    flush();
    socket.destroySoon();
  }

  function fail(problem: string): void {
    if (over) return;
    over = true;
    mailLog.protocolError('milter', peer, problem);
    flush();
    // Read on and throw away: closing with input unread would reset the connection under the earlier answers.
    socket.end();
    socket.resume();
    clearTimeout(deadline);
    deadline = setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  function leaveIfIdle(): void {
    const owes = ready.length > 0 || waiting || reader.pending() || socket.writableNeedDrain;
    if (!over && !owes && !conversation.inTransaction()) leave();
  }

  function finish(): void {
    draining = true;
    // Two turns of the loop, so that what the MTA had asked by now is read and answered first.
    setImmediate(() => setImmediate(leaveIfIdle));
  }

  function onIdle(): void {
    if (!waiting) socket.destroy();
    // having gone off once, it would not start again by itself
    else socket.setTimeout(options.idleTimeoutMs);
  }

  socket.setKeepAlive(true, keepAliveMs);
  socket.setTimeout(options.idleTimeoutMs);
  socket.on('timeout', onIdle);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', () => {
    clearTimeout(deadline);
    over = true;
    closed();
  });
  return { finish, destroy: () => socket.destroy() };
}
