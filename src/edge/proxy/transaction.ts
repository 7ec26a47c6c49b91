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
import { addressOf, type ClientInfo } from './client-info.js';
import { foreignParameter, type Features } from './features.js';
import type { Link } from './link.js';
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
  /** The next hop was lost within this transaction. */
  #broken = false;
  /** In the whole session. */
  #rejected = 0;
  /** Who the client is, by XFORWARD or XCLIENT. */
  told: ClientInfo | undefined;

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
    const ready = await this.#link.ready({ told: this.told, ...greeted });
    if (ready !== 'ready') return farewell(proxyReplies[ready]);
    const reply = await this.#link.command(`MAIL FROM:<${path}>${spaced(parameters)}`);
    if (reply === undefined) return said(proxyReplies.lost);
    if (kindOf(reply) === 2) this.#sender = octetsToText(path);
    return passedOn(reply);
  }

  async rcpt(rest: string, greeted: Greeted | undefined): Promise<Said> {
    if (greeted === undefined) return wrong(proxyReplies.heloFirst);
    if (!this.isOpen) return wrong(proxyReplies.mailFirst);
    const argument = parsePathArgument(rest, 'TO');
    if (argument === undefined) return wrong(proxyReplies.rcptSyntax);
    const { path, parameters } = argument;
    if (foreignParameter(parameters, 'RCPT', greeted.offered) !== undefined)
      return wrong(proxyReplies.parameter);
    if (this.#asked >= this.#options.maxRecipients) return said(proxyReplies.tooManyRecipients);
    if (this.#rejected >= this.#options.maxRejected) return farewell(proxyReplies.tooManyRejected);
    this.#asked += 1;
    const refusal = await this.#judge(octetsToText(path));
    return refusal ?? this.#forward(`RCPT TO:<${withoutRoute(path)}>${spaced(parameters)}`);
  }

  /** 354: the client's message is next. */
  async data(rest: string): Promise<Said> {
    if (rest !== '') return wrong(proxyReplies.dataSyntax);
    if (!this.isOpen) return wrong(proxyReplies.mailFirst);
    if (this.#asked === 0) return wrong(proxyReplies.rcptFirst);
    if (this.#broken) return said(proxyReplies.lost);
    if (this.#accepted === 0) return said(proxyReplies.noRecipients);
    const reply = await this.#link.data();
    if (reply === undefined) return this.#lost();
    return reply.code === 354 ? { ...passedOn(reply), then: 'take data' } : passedOn(reply);
  }

  /** Takes back what is open, also at the next hop. */
  async reset(): Promise<void> {
    if (this.isOpen && !this.#broken) await this.#link.command('RSET');
    this.end();
  }

  /** It is over. */
  end(): void {
    // XFORWARD_README: what was told counts for one transaction.
    if (this.isOpen) this.told = undefined;
    this.#sender = undefined;
    this.#asked = 0;
    this.#accepted = 0;
    this.#broken = false;
  }

  /** The reply to a recipient that is not to be accepted; undefined for one that may be. */
  async #judge(recipient: string): Promise<Said | undefined> {
    const told = this.told === undefined ? undefined : addressOf(this.told);
    const envelope = { recipient, sender: this.#sender, client: told ?? this.#client };
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

  #lost(): Said {
    this.#broken = true;
    return said(proxyReplies.lost);
  }
}

function spaced(parameters: string): string {
  return parameters === '' ? '' : ` ${parameters}`;
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
