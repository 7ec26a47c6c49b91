/**
 * The edge's end of the live socket: one connection, opened with the first question and again after it was lost.
 *
 * Promises an answer within `timeoutMs`, and `no-answer` at once while control is down or says nothing any more. What control
 * has said lately is not asked again, neither about an address nor after "too many", so that a harvest hardly crosses the
 * socket; and whom it has found lately stays found while it has no answer. Questions under way and what is remembered are
 * bounded. Never throws, never rejects.
 */
import { connect, type Socket } from 'node:net';
import { noAnswer, type LiveAnswer, type LiveQuestion } from './answer.js';
import { readLines } from './lines.js';
import { createMemory } from './memory.js';
import { decodeAnswer, encodeQuestion, maxAnswer, maxSocketPath } from './wire.js';

export interface LiveClientOptions {
  /** Of control's socket. */
  readonly path: string;
  /** In ms, of a clock that never goes back; default: the process's. */
  readonly now?: () => number;
  /** Told once when control cannot be asked, and once when it can again. */
  readonly onState?: (state: 'connected' | 'lost', detail: string) => void;
}

export interface LiveClient {
  readonly ask: (question: LiveQuestion, timeoutMs: number) => LiveAnswer | Promise<LiveAnswer>;
  /** Forgets what was heard: the configuration is another now. */
  forget(): void;
  close(): void;
}

const maxPending = 256;
const maxRemembered = 20_000;
/** After a connection was refused or lost. */
const retryMs = 500;
/** Control that takes questions and says nothing is stuck: after so many in a row, left alone for so long. */
const patience = 3;
const pauseMs = 5000;
/** By then whoever was found is on the list, or control is asked again. */
const foundForMs = 10 * 60_000;
/** Control may have been restarted since, or told of a new password: to ask it costs the directory nothing. */
const longestHeldMs = 60_000;

interface Pending {
  readonly question: LiveQuestion;
  readonly settle: (answer: LiveAnswer) => void;
}

export function createLiveClient(options: LiveClientOptions): LiveClient {
  const { path, now = () => performance.now(), onState } = options;
  const unknown = createMemory<true>(maxRemembered, now);
  const held = createMemory<LiveAnswer['kind']>(maxRemembered, now);
  const found = createMemory<LiveAnswer>(maxRemembered, now);
  const pending = new Map<number, Pending>();
  let socket: Socket | undefined;
  let lastId = 0;
  let silences = 0;
  let notBefore = -Infinity;
  let isLost = false;
  let closed = false;

  function ask(question: LiveQuestion, timeoutMs: number): LiveAnswer | Promise<LiveAnswer> {
    const answer = askControl(question, timeoutMs);
    return answer instanceof Promise
      ? answer.then((said) => orFound(question, said))
      : orFound(question, answer);
  }

  /** Control may go down before whom it found is on the list: mail that was accepted once is not refused for that. */
  function orFound(question: LiveQuestion, answer: LiveAnswer): LiveAnswer {
    const isSaid = answer.kind === 'found' || answer.kind === 'not-found';
    return isSaid ? answer : (found.get(memoryKey(question)) ?? answer);
  }

  function askControl(question: LiveQuestion, timeoutMs: number): LiveAnswer | Promise<LiveAnswer> {
    const known = heardLately(question);
    if (known !== undefined) return known;
    if (closed || pending.size >= maxPending) return noAnswer;
    const connection = socket ?? open();
    return connection === undefined ? noAnswer : send(connection, question, timeoutMs);
  }

  function heardLately(question: LiveQuestion): LiveAnswer | undefined {
    const left = unknown.left(memoryKey(question));
    if (left > 0) return { kind: 'not-found', forMs: left };
    for (const key of [question.source, holdKey(question)]) {
      const kind = held.get(key);
      if (kind === 'limited' || kind === 'no-answer') return { kind, forMs: held.left(key) };
    }
    return undefined;
  }

  function send(connection: Socket, question: LiveQuestion, timeoutMs: number): Promise<LiveAnswer> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        settle(noAnswer);
        silence();
      }, timeoutMs);
      const settle = (answer: LiveAnswer): void => {
        clearTimeout(timer);
        pending.delete(id);
        resolve(answer);
      };
      pending.set(id, { question, settle });
      connection.write(encodeQuestion(id, question));
    });
  }

  /** Control answers within a question's deadline, be it that it has no answer. */
  function silence(): void {
    silences += 1;
    if (silences < patience) return;
    lose('control does not answer');
    notBefore = now() + pauseMs;
  }

  function open(): Socket | undefined {
    if (now() < notBefore) return undefined;
    if (Buffer.byteLength(path) > maxSocketPath) {
      lose(`the path of its socket is longer than ${maxSocketPath} bytes: ${path}`);
      return undefined;
    }
    const made = connect({ path });
    socket = made;
    let why = 'closed';
    made.once('connect', () => {
      if (isLost) onState?.('connected', path);
      isLost = false;
    });
    made.on('error', (error) => (why = error.message));
    made.once('close', () => {
      if (socket === made) lose(why);
    });
    readLines(made, maxAnswer, hear);
    // an edge that has nothing else to do may end
    made.unref();
    return made;
  }

  function hear(line: string): boolean {
    const said = decodeAnswer(line);
    if (said === undefined) return false;
    silences = 0;
    const one = pending.get(said.id);
    if (one === undefined) return true;
    remember(one.question, said.body);
    one.settle(said.body);
    return true;
  }

  function remember(question: LiveQuestion, answer: LiveAnswer): void {
    if (answer.kind === 'found') found.set(memoryKey(question), answer, foundForMs);
    if (answer.kind === 'not-found') unknown.set(memoryKey(question), true, answer.forMs);
    const heldMs = 'forMs' in answer ? Math.min(answer.forMs, longestHeldMs) : 0;
    if (answer.kind === 'limited') held.set(holdKey(question), answer.kind, heldMs);
    if (answer.kind === 'no-answer') held.set(question.source, answer.kind, heldMs);
  }

  function lose(why: string): void {
    const lost = socket;
    socket = undefined;
    silences = 0;
    notBefore = now() + retryMs;
    lost?.destroy();
    for (const { settle } of [...pending.values()]) settle(noAnswer);
    if (isLost || closed) return;
    isLost = true;
    onState?.('lost', why);
  }

  return {
    ask,
    forget() {
      unknown.clear();
      held.clear();
      found.clear();
    },
    close() {
      closed = true;
      lose('closed');
    },
  };
}

function memoryKey({ source, address }: LiveQuestion): string {
  return `${source}\n${address}`;
}

function holdKey({ source, address }: LiveQuestion): string {
  return `${source}\n${address.slice(address.lastIndexOf('@'))}`;
}
