/**
 * One bound connection to one directory server.
 *
 * Promises: every search goes over the connection that was bound, and fails when that is gone, before or after; there is
 * no reconnection. Answers are bounded in entries and in bytes. What the server sends and cannot be parsed ends the
 * session, because ldapts may have dropped entries with it.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import {
  SearchEntry,
  SearchRequest,
  SearchResponse,
  type Client,
  type SearchRequestMessageOptions,
} from 'ldapts';
import { explain } from './explain.js';
import { internalsOf, type LdaptsInternals } from './internals.js';

export type SearchQuestion = Omit<SearchRequestMessageOptions, 'messageId'>;

const maxEntries = 100_000; // of one answer: ldapts fails near 125,000
const maxMessage = 8 * 1024 * 1024; // octets without a whole message: an entry with some 200,000 addresses
const whoAmIOid = '1.3.6.1.4.1.4203.1.11.3'; // RFC 4532

export class Session {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #internals: LdaptsInternals;
  #fault: string | undefined;
  #entries = 0;
  #octets = 0;

  /** `client` is bound over `socket`. */
  constructor(
    client: Client,
    socket: Socket,
    readonly server: string,
  ) {
    this.#client = client;
    this.#socket = socket;
    this.#internals = internalsOf(client);
    this.#watch();
  }

  /** What encrypts the connection; undefined when nothing does. */
  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  /** The connection is gone: nothing can be asked over it any more. */
  get lost(): boolean {
    return this.#fault !== undefined || this.#socket.destroyed || !this.#client.isBound;
  }

  /** The whole answer to one request, whatever its result code. Throws when there is none, or not over this bind. */
  async search(question: SearchQuestion): Promise<SearchResponse> {
    this.#entries = 0;
    this.#mustBeBound();
    const messageId = this.#internals._nextMessageId();
    const answer = await this.#guarded(() =>
      this.#internals._send(new SearchRequest({ ...question, messageId })),
    );
    this.#mustBeBound();
    if (!(answer instanceof SearchResponse)) throw explain(this.server, new Error('no answer to a search'));
    return answer;
  }

  /** RFC 4532: who the server takes us for; empty for anonymous. */
  async whoAmI(): Promise<string> {
    this.#mustBeBound();
    const answer = await this.#guarded(() => this.#client.exop(whoAmIOid));
    this.#mustBeBound();
    return answer.value ?? '';
  }

  /** Ends the session at once; pending and later searches fail with `reason`. */
  abort(reason: string): void {
    this.#fault ??= reason;
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    this.#fault ??= 'the session was closed';
    // An unbind has no answer (RFC 4511 §4.3): what matters is that the socket is gone afterwards.
    await this.#client.unbind().catch(() => undefined);
    this.#socket.destroy();
  }

  async #guarded<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw this.#fault === undefined ? explain(this.server, error) : this.#faulty();
    }
  }

  #mustBeBound(): void {
    if (this.#fault !== undefined) throw this.#faulty();
    if (this.#client.isBound && !this.#socket.destroyed) return;
    throw explain(this.server, new Error('the connection is no longer bound as the configured account'));
  }

  #faulty(): Error {
    return explain(this.server, new Error(this.#fault));
  }

  #watch(): void {
    // ldapts takes its own error listener away at close; an error after that would end the process.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => (this.#fault ??= 'the server closed the connection'));
    this.#socket.on('data', (chunk: Buffer) => {
      this.#octets += chunk.length;
      if (this.#octets > maxMessage) this.abort(`a message of more than ${String(maxMessage)} octets`);
    });
    this.#internals.messageParser.on('error', (error) => {
      this.abort(`an answer that cannot be read: ${error.message}`);
    });
    this.#internals.messageParser.on('message', (message) => {
      this.#octets = 0;
      if (message instanceof SearchEntry) this.#entries += 1;
      if (this.#entries > maxEntries) this.abort(`more than ${String(maxEntries)} entries in one answer`);
    });
  }
}
