/**
 * The SMTP conversation with one client of the proxy: a command in, a reply out. No socket of the client's, no clock.
 *
 * Promises to offer what the next hop can do and nothing more; mail goes through `Transaction`, and whatever is no part of
 * one is answered here. What the next hop's absence costs is a 4xx. Refuses, as the SMTP edge does, what is no command,
 * commands out of order, and too many errors.
 */
import { hasControls, parseCommandLine } from '../smtp/command.js';
import { aside } from './aside.js';
import { clientNames, forwardNames, parseClientInfo } from './client-info.js';
import { featureLines, noFeatures, passedFeatures, type Features } from './features.js';
import type { Link } from './link.js';
import { proxyReplies } from './replies.js';
import type { Reply } from './reply.js';
import { farewell, passedOn, said, wrong, type Next, type Said } from './said.js';
import { Transaction, type Greeted, type TransactionOptions } from './transaction.js';

export interface ConversationOptions extends TransactionOptions {
  /** Host name in the greeting. */
  readonly name: string;
  readonly offersTls: boolean;
  readonly maxErrors: number;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #link: Link;
  readonly #transaction: Transaction;
  /** Whether the client may say on whose behalf it speaks. */
  readonly #trusted: boolean;
  #secure = false;
  #greeted: Greeted | undefined;
  #errors = 0;
  /** After the last reply. */
  next: Next = 'go on';

  constructor(options: ConversationOptions, link: Link, client: string | undefined, trusted: boolean) {
    this.#options = options;
    this.#link = link;
    this.#transaction = new Transaction(options, link, client);
    this.#trusted = trusted;
  }

  get inTransaction(): boolean {
    return this.#transaction.isOpen;
  }

  /** RFC 3207 §4.2: nothing said before TLS counts after it. */
  async secured(): Promise<void> {
    this.#secure = true;
    this.#greeted = undefined;
    await this.#transaction.reset();
    this.#transaction.told = {};
    this.next = 'go on';
  }

  greeting(): string {
    return `220 ${this.#options.name} ESMTP`;
  }

  /** The reply to one line of octets (latin1), lines joined by CRLF, without the last one. */
  async take(line: string, bare: boolean): Promise<string> {
    return this.#say(await this.#answer(line, bare));
  }

  /** The reply to a message, which ends the transaction whatever it is. */
  taken(reply: Reply | undefined): string {
    this.#transaction.end();
    return this.#say(reply === undefined ? said(proxyReplies.lost) : passedOn(reply));
  }

  async #answer(line: string, bare: boolean): Promise<Said> {
    if (bare) return wrong(proxyReplies.bareLineEnd);
    if (hasControls(line)) return wrong(proxyReplies.controls);
    const { verb, rest } = parseCommandLine(line);
    switch (verb) {
      case 'RCPT':
        return this.#transaction.rcpt(rest, this.#greeted);
      case 'MAIL':
        return this.#transaction.mail(rest, this.#greeted);
      case 'DATA':
        return this.#transaction.data(rest);
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb, rest);
      case 'RSET':
        await this.#transaction.reset();
        return said(proxyReplies.ok);
      case 'XFORWARD':
      case 'XCLIENT':
        return this.#introduced(verb, rest);
      case 'STARTTLS':
        return this.#startTls(rest);
      default:
        return aside(verb, rest, line);
    }
  }

  async #hello(verb: 'EHLO' | 'HELO', name: string): Promise<Said> {
    // RFC 5321 §4.5.3.1.2. The name itself is not judged: it decides nothing.
    if (name === '' || name.length > 255) return wrong(proxyReplies.helo);
    await this.#transaction.reset();
    this.#greeted = undefined;
    // What may be offered is what the next hop can do: it has to be asked.
    const { told } = this.#transaction;
    const extended = verb === 'EHLO';
    const isFront = this.#trusted && told.client === undefined;
    const features = await this.#link.open({ told, name, extended }, isFront);
    if (features === undefined) return farewell(proxyReplies.noNextHop);
    const offered = extended ? passedFeatures(features) : noFeatures;
    this.#greeted = { name, extended, offered };
    return said(extended ? this.#offer(offered) : `250 ${this.#options.name}`);
  }

  #offer(offered: Features): string {
    const { name, offersTls } = this.#options;
    const lines = [name, 'PIPELINING', ...featureLines(offered)];
    if (offersTls && !this.#secure) lines.push('STARTTLS');
    if (this.#trusted) lines.push(`XFORWARD ${forwardNames.join(' ')}`, `XCLIENT ${clientNames.join(' ')}`);
    return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
  }

  /** XFORWARD_README, XCLIENT_README. */
  #introduced(command: 'XFORWARD' | 'XCLIENT', rest: string): Said {
    if (!this.#trusted) return wrong(proxyReplies.notTrusted);
    if (this.inTransaction) return wrong(proxyReplies.midTransaction);
    const info = parseClientInfo(rest, command === 'XFORWARD' ? forwardNames : clientNames);
    if (info === undefined) return wrong(proxyReplies.attributes);
    const { client, message } = this.#transaction.told;
    if (command === 'XFORWARD') {
      this.#transaction.told = { client, message: new Map([...(message ?? []), ...info]) };
      return said(proxyReplies.ok);
    }
    this.#transaction.told = { client: new Map([...(client ?? []), ...info]) };
    this.#greeted = undefined;
    return said(this.greeting());
  }

  #startTls(rest: string): Said {
    if (!this.#options.offersTls) return wrong(proxyReplies.unimplemented);
    if (this.#secure) return wrong(proxyReplies.tlsActive);
    if (rest !== '') return wrong(proxyReplies.startTlsSyntax);
    return { text: proxyReplies.startTls, then: 'start tls' };
  }

  /** Errors are counted over the whole session: RSET and EHLO do not wipe the count. */
  #say({ text, then }: Said): string {
    this.next = then === 'error' ? 'go on' : then;
    if (then !== 'error') return text;
    this.#errors += 1;
    if (this.#errors < this.#options.maxErrors) return text;
    this.next = 'close';
    return `${text}\r\n${proxyReplies.tooManyErrors}`;
  }
}
