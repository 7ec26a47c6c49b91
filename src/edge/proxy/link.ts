/**
 * What a session has of the next hop: one connection at a time, opened when it is first wanted, and again after it was lost
 * between two transactions.
 *
 * Promises that the next hop knows who the client is before it is asked about a sender, and that nothing is sent to one which
 * cannot do what the client was offered.
 */
import { clientInfoOf, type ClientInfo } from './client-info.js';
import { keepsPromise, passedFeatures, type Features } from './features.js';
import type { Hop, HopTimeouts } from './hop.js';
import type { NextHops } from './next-hops.js';
import { proxyHeader, type Ends } from './proxy-header.js';
import { kindOf, type Reply } from './reply.js';

export type ClientInfoMode = 'none' | 'xclient' | 'xforward' | 'proxy-v1' | 'proxy-v2';

export interface LinkOptions {
  readonly nextHops: NextHops;
  readonly clientInfo: ClientInfoMode;
  readonly timeouts: HopTimeouts;
}

export interface Wanted {
  readonly offered: Features;
  /** By XFORWARD or XCLIENT. */
  readonly told: ClientInfo | undefined;
  /** Of HELO or EHLO. */
  readonly name: string;
  readonly extended: boolean;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #ends: Ends;
  readonly #abort = new AbortController();
  #hop: Hop | undefined;
  /** What this connection was told by XCLIENT. */
  #introducedAs = '';

  constructor(options: LinkOptions, ends: Ends) {
    this.#options = options;
    this.#ends = ends;
  }

  /** The connection, while there is one. */
  get hop(): Hop | undefined {
    return this.#hop;
  }

  /** What the next hop can do; undefined when none answers. */
  async open(): Promise<Features | undefined> {
    if (this.#hop?.usable === true) return this.#hop.features;
    this.#hop?.destroy();
    this.#introducedAs = '';
    const hop = await this.#options.nextHops.open(this.#header(), this.#abort.signal);
    if (this.#abort.signal.aborted) hop?.destroy();
    this.#hop = hop;
    return hop?.features;
  }

  /** Before a transaction: there, able, and told who the client is. */
  async ready(wanted: Wanted): Promise<'ready' | 'noNextHop' | 'changed'> {
    // A connection kept from before may break at the first word: then once more, anew.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const features = await this.open();
      if (features === undefined || this.#hop === undefined) return 'noNextHop';
      const introduced = await this.#introduce(this.#hop, wanted);
      if (introduced) return this.#able(this.#hop, wanted.offered) ? 'ready' : 'changed';
      this.#hop.destroy();
    }
    return 'noNextHop';
  }

  command(line: string): Promise<Reply | undefined> {
    return this.#ask(line, this.#options.timeouts.commandMs, [2, 4, 5]);
  }

  data(): Promise<Reply | undefined> {
    return this.#ask('DATA', this.#options.timeouts.dataMs, [3, 4, 5]);
  }

  /** Leaves the next hop politely, when nothing is under way. */
  quit(): void {
    this.#hop?.quit();
    this.#hop = undefined;
  }

  /** Leaves at once, also while connecting. */
  destroy(): void {
    this.#abort.abort(gone);
    this.#hop?.destroy();
  }

  async #ask(line: string, timeoutMs: number, kinds: readonly number[]): Promise<Reply | undefined> {
    const reply = await this.#hop?.command(line, timeoutMs);
    if (reply === undefined) return undefined;
    // 354 to RCPT, or 250 to DATA: it is out of step, and nothing it says can be relied on.
    const inStep = kinds.includes(kindOf(reply)) && (kindOf(reply) !== 3 || reply.code === 354);
    if (!inStep) this.#hop?.destroy();
    return inStep ? reply : undefined;
  }

  #able(hop: Hop, offered: Features): boolean {
    return keepsPromise(offered, passedFeatures(hop.features));
  }

  async #introduce(hop: Hop, { told, name, extended }: Wanted): Promise<boolean> {
    const { clientInfo } = this.#options;
    if (clientInfo !== 'xforward' && clientInfo !== 'xclient') return true;
    const own = clientInfoOf({
      address: this.#ends.sourceAddress,
      port: this.#ends.sourcePort,
      helo: name,
      protocol: extended ? 'ESMTP' : 'SMTP',
    });
    const info = told ?? own;
    if (clientInfo === 'xforward') return hop.introduce('XFORWARD', info);
    const id = [...info].join(' ');
    if (id === this.#introducedAs) return true;
    this.#introducedAs = id;
    return hop.introduce('XCLIENT', info);
  }

  #header(): Buffer | undefined {
    switch (this.#options.clientInfo) {
      case 'proxy-v1':
        return proxyHeader(1, this.#ends);
      case 'proxy-v2':
        return proxyHeader(2, this.#ends);
      default:
        return undefined;
    }
  }
}

/** A reason of our own: the default one is an error, whose stack would be taken at the end of each session. */
const gone = 'the session is over';
