/**
 * One connection to a next hop: opened as the configuration says (PROXY header, greeting, EHLO, STARTTLS), asked command by
 * command.
 *
 * Promises one whole reply to each command, or `undefined` when the next hop is lost: gone, silent for too long, or no longer
 * speaking SMTP; then the connection is destroyed. Opening fails with a NextHopError that says what stood in the way.
 * Whatever is read in plaintext behind the reply to STARTTLS makes it fail (RFC 3207 §6).
 */
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { messageOf } from '../../errors.js';
import { clientInfoCommands, type ClientInfo } from './client-info.js';
import { noFeatures, parseFeatures, type Features } from './features.js';
import { connectTo, NextHopError, type NextHop } from './next-hop.js';
import { createReplyParser, kindOf, replyLineOf, type Reply } from './reply.js';
import { Wire } from './wire.js';

export interface NextHopTls {
  /** `opportunistic`: when it is offered and works. `required`: or the next hop is not used. */
  readonly mode: 'off' | 'opportunistic' | 'required';
  readonly context: SecureContext;
  /** Whether the certificate must be right. */
  readonly verify: boolean;
  /** Expected in the certificate; default: the host of the next hop. */
  readonly servername?: string | undefined;
}

/** Milliseconds (RFC 5321 §4.5.3.2). */
export interface HopTimeouts {
  /** Until the TCP connection stands; as long again for TLS. */
  readonly connectMs: number;
  /** For the greeting, and for the replies to EHLO and STARTTLS. */
  readonly greetingMs: number;
  readonly commandMs: number;
  readonly dataMs: number;
  readonly blockMs: number;
  readonly finalMs: number;
}

export interface HopOptions {
  /** Given in EHLO. */
  readonly name: string;
  readonly tls: NextHopTls;
  readonly timeouts: HopTimeouts;
  /** Not without XCLIENT: it would take the mail of everybody for ours. */
  readonly needsXclient?: boolean;
}

export type Introduced =
  { readonly kind: 'done' } | { readonly kind: 'lost' } | { readonly kind: 'refused'; readonly reply: Reply };

/** Opportunistic TLS was begun and failed: the next attempt goes without. */
class TlsFailed extends NextHopError {}

/** Octets of a reply line; RFC 5321 §4.5.3.1.5 says 512, and some say more. */
const maxLine = 4096;

export class Hop {
  readonly target: NextHop;
  readonly wire: Wire;
  readonly #options: HopOptions;
  readonly #replies = createReplyParser();
  #features: Features = noFeatures;

  private constructor(target: NextHop, socket: Socket, options: HopOptions) {
    this.target = target;
    this.#options = options;
    this.wire = new Wire(socket, { maxLine, onClose: () => undefined });
  }

  /** `header` is sent before anything else. `signal` gives up at once. Throws NextHopError. */
  static async open(
    target: NextHop,
    options: HopOptions,
    header: Buffer | undefined,
    signal: AbortSignal,
  ): Promise<Hop> {
    try {
      return await Hop.#open(target, options, header, signal, options.tls.mode !== 'off');
    } catch (error) {
      if (!(error instanceof TlsFailed) || options.tls.mode === 'required') throw error;
      return await Hop.#open(target, options, header, signal, false);
    }
  }

  static async #open(
    target: NextHop,
    options: HopOptions,
    header: Buffer | undefined,
    signal: AbortSignal,
    useTls: boolean,
  ): Promise<Hop> {
    const hop = new Hop(target, await connectTo(target, options.timeouts.connectMs, signal), options);
    const abort = (): void => hop.destroy();
    signal.addEventListener('abort', abort);
    try {
      if (header !== undefined) hop.wire.write(header);
      await hop.#greet(useTls);
      return hop;
    } catch (error) {
      hop.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get features(): Features {
    return this.#features;
  }

  /** Whether a command may be sent: it is there, and has said nothing unasked (421, and gone in a moment). */
  get usable(): boolean {
    return this.wire.lost === undefined && !this.wire.holds && this.wire.socket.writable;
  }

  async command(line: string, timeoutMs: number): Promise<Reply | undefined> {
    if (!this.usable) {
      this.destroy();
      return undefined;
    }
    this.wire.write(`${line}\r\n`);
    return this.reply(timeoutMs);
  }

  /** The next reply. Late lines of a long one have the same deadline. */
  async reply(timeoutMs: number): Promise<Reply | undefined> {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const line = await this.wire.line(Math.max(1, until - Date.now()));
      const reply = line === undefined ? 'wrong' : this.#replies.push(line.text);
      if (reply === 'wrong') break;
      if (reply !== undefined) return reply;
    }
    this.destroy();
    return undefined;
  }

  /** Tells who the client is; `refused` is what the next hop said to it. */
  async introduce(command: 'XFORWARD' | 'XCLIENT', info: ClientInfo): Promise<Introduced> {
    const offered = this.#features.get(command) ?? '';
    for (const line of clientInfoCommands(command, info, offered)) {
      const reply = await this.command(line, this.#options.timeouts.commandMs);
      if (reply === undefined || reply.code === 421) return { kind: 'lost' };
      if (kindOf(reply) !== 2) return { kind: 'refused', reply };
    }
    return { kind: 'done' };
  }

  /** XCLIENT_README: the server greets anew after it, and EHLO is wanted again, in the client's name. */
  async helloAs(name = this.#options.name): Promise<Introduced> {
    const reply = await this.command(`EHLO ${name}`, this.#options.timeouts.greetingMs);
    if (reply === undefined) return { kind: 'lost' };
    if (kindOf(reply) !== 2) return { kind: 'refused', reply };
    this.#features = parseFeatures(reply);
    return { kind: 'done' };
  }

  /** Goodbye, without waiting for the answer. */
  quit(): void {
    if (this.usable) this.wire.write('QUIT\r\n');
    this.wire.discard();
    this.wire.socket.end();
    setTimeout(() => this.destroy(), lingerMs).unref();
  }

  destroy(): void {
    this.wire.destroy();
  }

  async #greet(useTls: boolean): Promise<void> {
    const { greetingMs } = this.#options.timeouts;
    this.#expect(await this.reply(greetingMs), 'greeting');
    await this.#ehlo();
    const { mode } = this.#options.tls;
    if (useTls && this.#features.has('STARTTLS')) await this.#startTls(mode === 'required');
    else if (mode === 'required') throw new NextHopError('it offers no STARTTLS, which is required');
    if (this.#options.needsXclient === true && !this.#features.has('XCLIENT'))
      throw new NextHopError('it does not offer XCLIENT to us');
  }

  async #ehlo(): Promise<void> {
    const reply = await this.command(`EHLO ${this.#options.name}`, this.#options.timeouts.greetingMs);
    this.#features = parseFeatures(this.#expect(reply, 'EHLO'));
  }

  async #startTls(required: boolean): Promise<void> {
    const reply = await this.command('STARTTLS', this.#options.timeouts.greetingMs);
    if (reply !== undefined && kindOf(reply) !== 2 && !required) return;
    this.#expect(reply, 'STARTTLS');
    if (this.wire.holds) throw new NextHopError('it sent plaintext behind its reply to STARTTLS');
    try {
      await this.#secure();
    } catch (error) {
      throw new TlsFailed(`TLS failed: ${messageOf(error)}`);
    }
    await this.#ehlo();
  }

  #secure(): Promise<void> {
    const { context, verify, servername = this.target.host } = this.#options.tls;
    const plain = this.wire.socket;
    this.wire.detach();
    const secure = connectTls({
      socket: plain,
      host: servername,
      secureContext: context,
      rejectUnauthorized: verify,
      ...(isIP(servername) === 0 && { servername }),
    });
    this.wire.upgrade(secure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('no handshake in time')),
        this.#options.timeouts.connectMs,
      );
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
      secure.once('close', () => reject(new Error('connection closed')));
      for (const event of ['secureConnect', 'error', 'close']) secure.once(event, () => clearTimeout(timer));
    });
  }

  #expect(reply: Reply | undefined, what: string): Reply {
    if (reply === undefined) throw new NextHopError(`no ${what === 'greeting' ? what : `reply to ${what}`}`);
    if (kindOf(reply) !== 2) throw new NextHopError(`${what} was answered ${replyLineOf(reply)}`);
    return reply;
  }
}

const lingerMs = 1000;
