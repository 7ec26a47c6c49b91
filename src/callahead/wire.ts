/**
 * One connection to a mail server, as commands and replies.
 *
 * Promises that every wait ends by the deadline it was given, whatever the server does (silence, a byte a second, a reply
 * nobody asked for); that nothing is read past a bounded reply; and that nothing said in the clear survives into TLS.
 * Everything that goes wrong is a rejection, after which the connection is gone.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Reply } from './finding.js';
import { createReplyParser, type ReplyParser } from './reply-parser.js';

export interface Host {
  readonly host: string;
  readonly port: number;
}

/** `name:port`, as in the configuration. */
export function hostText({ host, port }: Host): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A moment, in ms of `performance.now()`: a clock that is set must not stretch a wait. */
export type Deadline = number;

export function deadlineIn(ms: number): Deadline {
  return performance.now() + ms;
}

export function msLeft(deadline: Deadline): number {
  return Math.max(0, deadline - performance.now());
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Wire {
  #socket: Socket;
  #parse: ReplyParser = createReplyParser();
  #waiting: Waiting | undefined;
  /** The greeting may come before it is waited for. */
  #early: Reply | undefined;
  #greeted = false;
  #failure: Error | undefined;
  #onGone: () => void = () => undefined;

  constructor({ host, port }: Host) {
    this.#socket = connect({ host, port });
    this.#socket.setNoDelay(true);
    this.#listen();
  }

  get gone(): boolean {
    return this.#failure !== undefined;
  }

  /** Called once when the connection is gone, for whatever reason. */
  set onGone(handler: () => void) {
    this.#onGone = handler;
  }

  /** Of the greeting; every other reply is that of `command`. */
  greeting(deadline: Deadline): Promise<Reply> {
    this.#greeted = true;
    return this.#next(deadline);
  }

  /** `text` is one line, without its end. */
  command(text: string, deadline: Deadline): Promise<Reply> {
    if (/[\r\n]/.test(text)) return Promise.reject(new Error('a command of two lines'));
    if (this.#failure === undefined) this.#socket.write(`${text}\r\n`);
    return this.#next(deadline);
  }

  /** After the server agreed to STARTTLS. */
  async upgrade(options: ConnectionOptions, deadline: Deadline): Promise<void> {
    const plain = this.#socket;
    for (const event of ['data', 'error', 'close', 'end']) plain.removeAllListeners(event);
    plain.on('error', (error) => this.#fail(error));
    this.#parse = createReplyParser();
    const secure = connectTls({ ...options, socket: plain });
    this.#socket = secure;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer in time')), msLeft(deadline));
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        end();
      };
      secure.once('secureConnect', () => settle(resolve));
      secure.once('error', (error: Error) => settle(() => reject(error)));
      secure.once('close', () => settle(() => reject(new Error('connection closed'))));
    }).catch((error: unknown) => {
      this.#fail(error as Error);
      throw error;
    });
    this.#listen();
  }

  /** Says nothing more. */
  destroy(): void {
    this.#fail(new Error('connection given up'));
  }

  /** QUIT, without waiting for its reply. */
  quit(): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error('connection ended');
    this.#socket.end('QUIT\r\n');
    const socket = this.#socket;
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  /** An idle connection keeps no process alive. */
  rest(isIdle: boolean): void {
    if (isIdle) this.#socket.unref();
    else this.#socket.ref();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      const problem = this.#parse(chunk, (reply) => this.#take(reply));
      if (problem !== undefined) this.#fail(new Error(problem));
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => this.#fail(new Error('connection closed')));
    socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting.resolve(reply);
    else if (!this.#greeted && this.#early === undefined) this.#early = reply;
    // it would be taken for the reply to the next command
    else this.#fail(new Error(`a reply that nobody asked for (${reply.code})`));
  }

  #next(deadline: Deadline): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) return Promise.resolve(early);
    return new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error('no answer in time')), msLeft(deadline));
      this.#waiting = {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#socket.destroy();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#onGone();
  }
}
