/**
 * One side of the proxy: a socket from which lines and chunks are taken when they are wanted, and to which is written at
 * the pace it takes.
 *
 * Promises bounded memory (nothing more is read while enough is held that nobody has taken), a deadline on every wait, and
 * one answer to each: what was asked for, or `undefined`, and then `lost` says why. A line is octets as latin1, without
 * its line end. Once lost, a wire gives what it holds and nothing more.
 */
import type { Socket } from 'node:net';

export type Lost = 'ended' | 'closed' | 'timeout' | 'line too long';

export interface WireOptions {
  /** Octets of a line without its line end. */
  readonly maxLine: number;
  /** It is gone. */
  readonly onClose: () => void;
  /** The other side will send nothing more. */
  readonly onEnd?: () => void;
}

/** Held without a taker, before the socket is paused. */
const highWater = 65_536;

const nothing = Buffer.alloc(0);

export class Wire {
  readonly #maxLine: number;
  readonly #onClose: () => void;
  readonly #onHalfClose: (() => void) | undefined;
  #socket: Socket;
  #held: Buffer = nothing;
  /** Up to here there is no line end. */
  #searched = 0;
  #lost: Lost | undefined;
  #closed = false;
  #pending: (() => void) | undefined;
  #drained: ((ok: boolean) => void) | undefined;

  constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket;
    this.#onHalfClose = options.onEnd;
    this.#maxLine = options.maxLine;
    this.#onClose = options.onClose;
    this.#attach(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  get lost(): Lost | undefined {
    return this.#lost;
  }

  /** Whether something is here that nobody has taken. */
  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** The next line. `bare` is a line whose LF had no CR before it. */
  line(timeoutMs: number): Promise<{ readonly text: string; readonly bare: boolean } | undefined> {
    return this.#until(() => this.#takeLine(), timeoutMs);
  }

  /** What is there, as soon as something is. */
  chunk(timeoutMs: number): Promise<Buffer | undefined> {
    return this.#until(() => this.#takeAll(), timeoutMs);
  }

  /** Puts back what was taken too much. */
  putBack(rest: Buffer): void {
    this.#held = this.#held.length === 0 ? rest : Buffer.concat([rest, this.#held]);
    this.#searched = 0;
  }

  /** Throws away what is held, and all that comes. */
  discard(): void {
    this.#held = nothing;
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
  }

  /** True when the socket takes more at once. */
  write(data: string | Buffer): boolean {
    if (this.#closed || !this.#socket.writable) return false;
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  /** Writes all, and waits until the socket takes more; false when it is lost, or took nothing in time. */
  async writeAll(parts: readonly Buffer[], timeoutMs: number): Promise<boolean> {
    if (this.#closed || !this.#socket.writable) return false;
    for (const part of parts) this.#socket.write(part);
    return this.#socket.writableNeedDrain ? this.#drain(timeoutMs) : true;
  }

  /** Waits until what was written is on its way; false when that takes longer, or it is gone. */
  async drained(timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    // The other side may have ended its half and still read: only a socket that takes nothing more counts.
    while (this.#socket.writableNeedDrain && this.#socket.writable && Date.now() < until)
      await this.#drain(Math.max(1, until - Date.now()));
    return !this.#socket.writableNeedDrain;
  }

  /** Takes another socket in place of this one: TLS over it. What was held is gone (RFC 3207 §4.2). */
  upgrade(socket: Socket): void {
    this.#detach();
    this.#held = nothing;
    this.#searched = 0;
    this.#socket = socket;
    this.#attach(socket);
  }

  /** Stops reading, so that TLS can take over from a clean socket. */
  detach(): void {
    this.#detach();
  }

  /** Ends what waits. */
  lose(why: Lost): void {
    this.#lost ??= why;
    this.#pending?.();
    this.#drained?.(false);
  }

  destroy(): void {
    this.#socket.destroy();
    this.#onSocketClose();
  }

  #attach(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onSocketClose);
    socket.on('error', ignore);
    socket.on('drain', this.#onDrain);
  }

  #detach(): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onSocketClose);
    socket.off('drain', this.#onDrain);
    socket.pause();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#pending?.();
    if (this.#held.length >= highWater) this.#socket.pause();
  };

  readonly #onEnd = (): void => {
    this.lose('ended');
    this.#onHalfClose?.();
  };

  readonly #onDrain = (): void => this.#drained?.(true);

  readonly #onSocketClose = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.lose('closed');
    this.#onClose();
  };

  #takeLine(): { text: string; bare: boolean } | undefined {
    const end = this.#held.indexOf(0x0a, this.#searched);
    if ((end === -1 ? this.#held.length : end) > this.#maxLine) {
      this.#lost ??= 'line too long';
      return undefined;
    }
    this.#searched = this.#held.length;
    if (end === -1) return undefined;
    const bare = end === 0 || this.#held[end - 1] !== 0x0d;
    const text = this.#held.toString('latin1', 0, bare ? end : end - 1);
    this.#keep(this.#held.subarray(end + 1));
    return { text, bare };
  }

  #takeAll(): Buffer | undefined {
    if (this.#held.length === 0) return undefined;
    const all = this.#held;
    this.#keep(nothing);
    return all;
  }

  #keep(rest: Buffer): void {
    this.#held = rest.length === 0 ? nothing : rest;
    this.#searched = 0;
    if (rest.length < highWater && this.#socket.isPaused()) this.#socket.resume();
  }

  #until<T>(take: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    const ready = take();
    if (ready !== undefined || this.#lost !== undefined) return Promise.resolve(ready);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.lose('timeout'), timeoutMs);
      this.#pending = () => {
        const got = take();
        if (got === undefined && this.#lost === undefined) return;
        clearTimeout(timer);
        this.#pending = undefined;
        resolve(got);
      };
    });
  }

  #drain(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.lose('timeout'), timeoutMs);
      this.#drained = (ok) => {
        clearTimeout(timer);
        this.#drained = undefined;
        resolve(ok);
      };
    });
  }
}

function ignore(): void {
  // 'close' follows, and is what counts.
}
