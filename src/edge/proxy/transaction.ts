/**
 * The mail transactions of one session, one at a time: MAIL, RCPT and DATA, each put to the next hop.
 *
 * Promises: a recipient is judged first, and only one that may be accepted reaches the next hop, whose own reply is then the
 * client's; commands are written anew, so that both sides read the same. Once the next hop is lost, the transaction ends in
 * 451. Refuses commands out of order, parameters that were not offered, too many recipients and rejections.
 */
import { octetsToText } from '../ask.js';
import { replyText } from '../reply-text.js';
import { parsePathArgument } from '../smtp/command.js';
import { addressOf } from './client-info.js';
import { foreignParameter, type Features } from './features.js';
import type { Told } from './identity.js';
import { spaced, type Link } from './link.js';
import { judgeRecipient, type RecipientOptions } from './recipient.js';
import { proxyReplies } from './replies.js';
import { kindOf } from './reply.js';
import { farewell, passedOn, said, wrong, type Said } from './said.js';

export interface TransactionOptions extends RecipientOptions {
  readonly maxRecipients: number;
  readonly maxRejected: number;
}

/** What EHLO or HELO has settled. */
export interface Greeted {
  /** As the client gave it. */
  readonly name: string;
  readonly extended: boolean;
  readonly offered: Features;
}

export class Transaction {
  readonly #options: TransactionOptions;
  readonly #link: Link;
  readonly #client: string | undefined;
  /** Undefined between two transactions. */
  #sender: string | undefined;
  #asked = 0;
  #accepted = 0;
  #deferred = 0;
  /** The next hop was lost before it answered MAIL. */
  #neverBegun = false;
  /** The next hop was lost within this transaction. */
  #broken = false;
  /** In the whole session. */
  #rejected = 0;
  /** Who the client is, by XFORWARD or XCLIENT. */
  told: Told = {};

  constructor(options: TransactionOptions, link: Link, client: string | undefined) {
    this.#options = options;
    this.#link = link;
    this.#client = client;
  }

  get isOpen(): boolean {
    return this.#sender !== undefined;
  }

  async mail(rest: string, greeted: Greeted | undefined): Promise<Said> {
    if (greeted === undefined) return wrong(proxyReplies.heloFirst);
    if (this.isOpen) return wrong(proxyReplies.nested);
    const argument = parsePathArgument(rest, 'FROM');
    if (argument === undefined) return wrong(proxyReplies.mailSyntax);
    const { path, parameters } = argument;
    if (foreignParameter(parameters, 'MAIL', greeted.offered) !== undefined)
      return wrong(proxyReplies.parameter);
    const client = { told: this.told, name: greeted.name, extended: greeted.extended };
    const begun = await this.#link.begin({ client, offered: greeted.offered, path, parameters });
    this.#neverBegun = begun === 'lost';
    if (begun === 'lost') return said(proxyReplies.lost);
    if (typeof begun === 'string') return farewell(proxyReplies[begun]);
    if (kindOf(begun) === 2) this.#sender = octetsToText(path);
    return passedOn(begun);
  }

  async rcpt(rest: string, greeted: Greeted | undefined): Promise<Said> {
    if (greeted === undefined) return wrong(proxyReplies.heloFirst);
    if (!this.isOpen) return this.#notBegun();
    const argument = parsePathArgument(rest, 'TO');
    if (argument === undefined) return wrong(proxyReplies.rcptSyntax);
    const { path, parameters } = argument;
    if (foreignParameter(parameters, 'RCPT', greeted.offered) !== undefined)
      return wrong(proxyReplies.parameter);
    if (!this.#broken && !this.#link.takes('RCPT', parameters)) return farewell(proxyReplies.changed);
    const answer = await this.#recipient(path, parameters);
    if (answer.text.startsWith('4')) this.#deferred += 1;
    return answer;
  }

  async #recipient(path: string, parameters: string): Promise<Said> {
    if (this.#asked >= this.#options.maxRecipients) return said(proxyReplies.tooManyRecipients);
    if (this.#rejected >= this.#options.maxRejected) return farewell(proxyReplies.tooManyRejected);
    this.#asked += 1;
    const refusal = await this.#judge(octetsToText(path));
    return refusal ?? this.#forward(`RCPT TO:<${withoutRoute(path)}>${spaced(parameters)}`);
  }

  /** 354: the client's message is next. */
  async data(rest: string): Promise<Said> {
    if (rest !== '') return wrong(proxyReplies.dataSyntax);
    if (!this.isOpen) return this.#notBegun();
    if (this.#asked === 0) return wrong(proxyReplies.rcptFirst);
    if (this.#broken) return said(proxyReplies.lost);
    // Whoever was only deferred may be somebody: the message is not refused for good.
    if (this.#accepted === 0) return said(proxyReplies[this.#deferred > 0 ? 'allDeferred' : 'noRecipients']);
    const reply = await this.#link.data();
    if (reply === undefined) return this.#lost();
    return reply.code === 354 ? { ...passedOn(reply), then: 'take data' } : passedOn(reply);
  }

  /** Takes back what is open, also at the next hop. */
  async reset(): Promise<void> {
    if (this.isOpen && !this.#broken) await this.#link.reset();
    this.end();
  }

  /** It is over. */
  end(): void {
    // XFORWARD_README: what was told counts for one transaction.
    if (this.isOpen) this.told = { client: this.told.client };
    this.#sender = undefined;
    this.#asked = 0;
    this.#accepted = 0;
    this.#deferred = 0;
    this.#neverBegun = false;
    this.#broken = false;
  }

  /** The reply to a recipient that is not to be accepted; undefined for one that may be. */
  async #judge(recipient: string): Promise<Said | undefined> {
    const { message, client } = this.told;
    const told = addressOf(message) ?? addressOf(client) ?? this.#client;
    const envelope = { recipient, sender: this.#sender, client: told };
    const verdict = await judgeRecipient(this.#options, envelope);
    if (verdict === undefined || verdict.action === 'accept') return undefined;
    if (verdict.action === 'reject') this.#rejected += 1;
    return said(`${verdict.code} ${verdict.status} ${replyText(verdict)}`);
  }

  async #forward(command: string): Promise<Said> {
    const reply = this.#broken ? undefined : await this.#link.command(command);
    if (reply === undefined) return this.#lost();
    if (kindOf(reply) === 2) this.#accepted += 1;
    return passedOn(reply);
  }

  /** Commands that were sent along with a MAIL whose answer was lost are lost with it. */
  #notBegun(): Said {
    return this.#neverBegun ? said(proxyReplies.lost) : wrong(proxyReplies.mailFirst);
  }

  #lost(): Said {
    this.#broken = true;
    return said(proxyReplies.lost);
  }
}

/**
 * RFC 5321 appendix C: a source route is taken and ignored. It is not handed on, so that the next hop cannot read it as the
 * way to go.
 */
function withoutRoute(path: string): string {
  if (!path.startsWith('@')) return path;
  const route = /^(?:@(?:\[[^\]]*\]|[^\][:,@]+),?)+:/.exec(path)?.[0] ?? '';
  return path.slice(route.length);
}
