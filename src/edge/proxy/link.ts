/**
 * What a session has of the next hop: one connection at a time, opened when it is first wanted, and again after it was lost
 * between two transactions.
 *
 * Promises that the next hop knows who the client is before it is asked about a sender, that a connection speaks for one client
 * only, and that nothing is sent to one which cannot do what the client was offered. What a next hop has against us is never
 * told the client as a refusal of its mail: the next hop is lost.
 */
import { foreignParameter, hasLessRoom, passedFeatures, type Features } from './features.js';
import type { Hop, HopTimeouts, Introduced } from './hop.js';
import { clientInfo, forwardInfo, helloName, type Client } from './identity.js';
import type { NextHops } from './next-hops.js';
import { proxyHeader, type Ends } from './proxy-header.js';
import { kindOf, replyLineOf, type Reply } from './reply.js';

export type ClientInfoMode = 'none' | 'xclient' | 'xforward' | 'proxy-v1' | 'proxy-v2';

export interface LinkOptions {
  readonly nextHops: NextHops;
  readonly clientInfo: ClientInfoMode;
  readonly timeouts: HopTimeouts;
}

export interface Mail {
  readonly client: Client;
  /** To the client, at EHLO. */
  readonly offered: Features;
  readonly path: string;
  /** Of MAIL, unparsed. */
  readonly parameters: string;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #ends: Ends;
  readonly #abort = new AbortController();
  #hop: Hop | undefined;
  /** What this connection was told by XCLIENT. */
  #introducedAs: string | undefined;

  constructor(options: LinkOptions, ends: Ends) {
    this.#options = options;
    this.#ends = ends;
  }

  /** The connection, while there is one. */
  get hop(): Hop | undefined {
    return this.#hop;
  }

  /**
   * What the next hop can do for a client; undefined when none answers. A front, of which more is to be heard, is not introduced
   * itself.
   */
  async open(client: Client, isFront: boolean): Promise<Features | undefined> {
    const hop = await this.#reach(client, isFront ? 'connected' : 'at EHLO');
    return hop?.features;
  }

  /** Begins a transaction; the next hop knows who the client is, and can do what this one needs. */
  async begin(mail: Mail): Promise<Reply | 'noNextHop' | 'changed' | 'lost'> {
    for (;;) {
      const kept = this.#hop;
      const hop = await this.#reach(mail.client, 'at MAIL');
      if (hop === undefined) return 'noNextHop';
      const features = passedFeatures(hop.features);
      if (!this.takes('MAIL', mail.parameters) || hasLessRoom(mail.offered, features)) return 'changed';
      const reply = await this.command(`MAIL FROM:<${mail.path}>${spaced(mail.parameters)}`);
      if (reply !== undefined) return reply;
      // A connection kept from before may break at the first word, and nothing was under way: once more, on a new one.
      if (hop !== kept || hop.wire.lost === 'timeout') return 'lost';
    }
  }

  /** Whether the next hop of now knows the parameters. */
  takes(command: 'MAIL' | 'RCPT', parameters: string): boolean {
    if (this.#hop === undefined || parameters === '') return true;
    return foreignParameter(parameters, command, passedFeatures(this.#hop.features)) === undefined;
  }

  /** Takes back what was begun. */
  async reset(): Promise<void> {
    const reply = await this.command('RSET');
    // Whatever is under way there is no more to be known.
    if (reply === undefined || kindOf(reply) !== 2) this.#hop?.destroy();
  }

  command(line: string): Promise<Reply | undefined> {
    return this.#ask(line, this.#options.timeouts.commandMs, [2, 4, 5]);
  }

  async data(): Promise<Reply | undefined> {
    const reply = await this.#ask('DATA', this.#options.timeouts.dataMs, [3, 4, 5]);
    if (reply?.code === 354 && this.#hop !== undefined) this.#options.nextHops.works(this.#hop.target);
    return reply;
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
    if (reply === undefined || this.#hop === undefined) return undefined;
    // 354 to RCPT, or 250 to DATA: it is out of step, and nothing it says can be relied on.
    const inStep = kinds.includes(kindOf(reply)) && (kindOf(reply) !== 3 || reply.code === 354);
    const isOfUs = complaints.has(reply.code);
    if (isOfUs) {
      const [verb = ''] = line.split(' ');
      this.#options.nextHops.failed(this.#hop.target, `${verb} was answered ${replyLineOf(reply)}`);
    }
    if (inStep && !isOfUs) return reply;
    this.#hop.destroy();
    return undefined;
  }

  async #reach(client: Client, when: 'connected' | 'at EHLO' | 'at MAIL'): Promise<Hop | undefined> {
    // A connection kept from before may break at the first word: then once more, anew.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const hop = await this.#connected(client, when);
      if (hop === undefined) return undefined;
      const introduced = await this.#introduce(hop, client, when);
      if (introduced.kind === 'done') return hop;
      hop.destroy();
      if (introduced.kind === 'refused') return undefined;
    }
    return undefined;
  }

  async #connected(client: Client, when: string): Promise<Hop | undefined> {
    if (this.#hop?.usable === true) {
      // One that speaks for somebody speaks for nobody else.
      const isAnother = this.#introducedAs !== undefined && this.#introducedAs !== this.#idOf(client);
      if (!isAnother || when === 'connected') return this.#hop;
      this.#hop.quit();
    }
    this.#hop?.destroy();
    this.#introducedAs = undefined;
    const hop = await this.#options.nextHops.open(this.#header(), this.#abort.signal);
    if (this.#abort.signal.aborted) hop?.destroy();
    this.#hop = hop;
    return hop;
  }

  async #introduce(hop: Hop, client: Client, when: string): Promise<Introduced> {
    if (this.#options.clientInfo === 'xclient' && when !== 'connected') return this.#introduceAs(hop, client);
    if (this.#options.clientInfo === 'xforward' && when === 'at MAIL') return this.#forward(hop, client);
    return done;
  }

  async #introduceAs(hop: Hop, client: Client): Promise<Introduced> {
    if (this.#introducedAs !== undefined) return done;
    this.#introducedAs = this.#idOf(client);
    let introduced = await hop.introduce('XCLIENT', clientInfo(client, this.#ends));
    if (introduced.kind === 'done') introduced = await hop.helloAs(helloName(client));
    if (introduced.kind === 'refused')
      this.#options.nextHops.notice(hop.target, `XCLIENT was answered ${introduced.reply.code}`);
    return introduced;
  }

  /** For the log of the next hop: mail passes without it as well. */
  async #forward(hop: Hop, client: Client): Promise<Introduced> {
    const { nextHops } = this.#options;
    if (!hop.features.has('XFORWARD')) {
      nextHops.notice(hop.target, 'it does not offer XFORWARD to us');
      return done;
    }
    const told = await hop.introduce('XFORWARD', forwardInfo(client, this.#ends));
    if (told.kind !== 'refused') return told;
    nextHops.notice(hop.target, `XFORWARD was answered ${told.reply.code}`);
    return done;
  }

  #idOf(client: Client): string {
    return [...clientInfo(client, this.#ends)].join(' ');
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

const done = { kind: 'done' } as const;

/**
 * Replies that speak of us and not of the mail: out of step, TLS or a password wanted (RFC 5321 §4.2.3; RFC 3207 §4; RFC 4954
 * §6). Whoever sends the mail can do nothing about them.
 */
const complaints: ReadonlySet<number> = new Set([503, 530, 534, 538]);

/** With the space before them. */
export function spaced(parameters: string): string {
  return parameters === '' ? '' : ` ${parameters}`;
}

/** A reason of our own: the default one is an error, whose stack would be taken at the end of each session. */
const gone = 'the session is over';
