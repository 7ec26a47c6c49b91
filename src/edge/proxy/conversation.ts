/**
 * The SMTP conversation with one client of the proxy: a command in, a reply out. No socket of the client's, no clock.
 *
 * Promises: a recipient is asked about first, and only one that may be accepted is put to the next hop, whose own reply is
 * then the client's, as is its reply to MAIL, DATA and RSET; commands are written anew, so that both sides read the same.
 * What the next hop's absence costs is a 4xx. Refuses, as the SMTP edge does, commands out of order, parameters that were
 * not offered, too many recipients, rejections and errors.
 */
import { replies, type Question, type Verdict } from '../../policy/verdict.js';
import { ask, octetsToText, tell, type Asker } from '../ask.js';
import { replyText } from '../reply-text.js';
import { hasControls, parseCommandLine, parsePathArgument } from '../smtp/command.js';
import { addressOf, clientNames, forwardNames, parseClientInfo, type ClientInfo } from './client-info.js';
import { featureLines, foreignParameter, noFeatures, passedFeatures, type Features } from './features.js';
import type { Link } from './link.js';
import { proxyReplies } from './replies.js';
import { kindOf, type Reply } from './reply.js';

export interface ConversationOptions extends Asker {
  /** Host name in the greeting. */
  readonly name: string;
  readonly offersTls: boolean;
  readonly maxRecipients: number;
  readonly maxRejected: number;
  readonly maxErrors: number;
}

/** What the session does once the reply is sent. */
export type Next = 'go on' | 'close' | 'start tls' | 'take data';

const postmaster: Verdict = { ...replies.always, reason: 'always' };

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #link: Link;
  readonly #client: string | undefined;
  /** Whether the client may say on whose behalf it speaks. */
  readonly #trusted: boolean;
  #secure = false;
  #helo: { readonly name: string; readonly extended: boolean } | undefined;
  #offered: Features = noFeatures;
  #told: ClientInfo | undefined;
  /** Undefined outside a transaction. */
  #sender: string | undefined;
  #asked = 0;
  #accepted = 0;
  /** The next hop was lost within this transaction. */
  #broken = false;
  #rejected = 0;
  #errors = 0;
  /** After the last reply. */
  next: Next = 'go on';

  constructor(options: ConversationOptions, link: Link, client: string | undefined, trusted: boolean) {
    this.#options = options;
    this.#link = link;
    this.#client = client;
    this.#trusted = trusted;
  }

  get inTransaction(): boolean {
    return this.#sender !== undefined;
  }

  /** RFC 3207 §4.2: nothing said before TLS counts after it. */
  async secured(): Promise<void> {
    this.#secure = true;
    this.#helo = undefined;
    this.#told = undefined;
    await this.#reset();
    this.next = 'go on';
  }

  greeting(): string {
    return `220 ${this.#options.name} ESMTP`;
  }

  /** The reply to one line of octets (latin1), lines joined by CRLF, without the last one. */
  async take(line: string, bare: boolean): Promise<string> {
    this.next = 'go on';
    if (bare) return this.#error(proxyReplies.bareLineEnd);
    if (hasControls(line)) return this.#error(proxyReplies.controls);
    const { verb, rest } = parseCommandLine(line);
    switch (verb) {
      case 'RCPT':
        return this.#rcpt(rest);
      case 'MAIL':
        return this.#mail(rest);
      case 'DATA':
        return this.#data(rest);
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb, rest);
      case 'RSET':
        await this.#reset();
        return proxyReplies.ok;
      case 'XFORWARD':
      case 'XCLIENT':
        return this.#introduced(verb, rest);
      case 'STARTTLS':
        return this.#startTls(rest);
      default:
        return this.#aside(verb, rest, line);
    }
  }

  /** The reply to a message, which ends the transaction whatever it is. */
  taken(reply: Reply | undefined): string {
    this.#forget();
    this.next = 'go on';
    return reply === undefined ? proxyReplies.lost : this.#pass(reply);
  }

  /** The commands that change nothing. */
  #aside(verb: string, rest: string, line: string): string {
    switch (verb) {
      case 'NOOP':
        return proxyReplies.ok;
      case 'QUIT':
        return this.#close(proxyReplies.bye);
      case 'VRFY':
        return rest === '' ? this.#error(proxyReplies.vrfySyntax) : proxyReplies.vrfy;
      case 'HELP':
        return proxyReplies.help;
      case 'EXPN':
      case 'AUTH':
      case 'BDAT':
      case 'TURN':
      case 'ETRN':
        return this.#error(proxyReplies.unimplemented);
      default:
        // A web page that makes a browser talk to us must not get far.
        return /^[A-Z]+ \S+ HTTP\/\d/i.test(line)
          ? this.#close(proxyReplies.http)
          : this.#error(proxyReplies.unknown);
    }
  }

  async #hello(verb: 'EHLO' | 'HELO', name: string): Promise<string> {
    // RFC 5321 §4.5.3.1.2. The name itself is not judged: it decides nothing.
    if (name === '' || name.length > 255) return this.#error(proxyReplies.helo);
    await this.#reset();
    this.#helo = undefined;
    // What may be offered is what the next hop can do: it has to be asked.
    const features = await this.#link.open();
    if (features === undefined) return this.#close(proxyReplies.noNextHop);
    this.#helo = { name, extended: verb === 'EHLO' };
    this.#offered = verb === 'EHLO' ? passedFeatures(features) : noFeatures;
    const { name: own, offersTls } = this.#options;
    if (verb === 'HELO') return `250 ${own}`;
    const lines = [own, 'PIPELINING', ...featureLines(this.#offered)];
    if (offersTls && !this.#secure) lines.push('STARTTLS');
    if (this.#trusted) lines.push(`XFORWARD ${forwardNames.join(' ')}`, `XCLIENT ${clientNames.join(' ')}`);
    return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
  }

  async #mail(rest: string): Promise<string> {
    if (this.#helo === undefined) return this.#error(proxyReplies.heloFirst);
    if (this.#sender !== undefined) return this.#error(proxyReplies.nested);
    const argument = parsePathArgument(rest, 'FROM');
    if (argument === undefined) return this.#error(proxyReplies.mailSyntax);
    const { path, parameters } = argument;
    if (foreignParameter(parameters, 'MAIL', this.#offered) !== undefined)
      return this.#error(proxyReplies.parameter);
    const ready = await this.#link.ready({ offered: this.#offered, told: this.#told, ...this.#helo });
    if (ready !== 'ready') return this.#close(proxyReplies[ready]);
    const reply = await this.#link.command(`MAIL FROM:<${path}>${spaced(parameters)}`);
    if (reply === undefined) return proxyReplies.lost;
    if (kindOf(reply) === 2) this.#sender = octetsToText(path);
    return this.#pass(reply);
  }

  async #rcpt(rest: string): Promise<string> {
    if (this.#helo === undefined) return this.#error(proxyReplies.heloFirst);
    if (this.#sender === undefined) return this.#error(proxyReplies.mailFirst);
    const argument = parsePathArgument(rest, 'TO');
    if (argument === undefined) return this.#error(proxyReplies.rcptSyntax);
    const { path, parameters } = argument;
    if (foreignParameter(parameters, 'RCPT', this.#offered) !== undefined)
      return this.#error(proxyReplies.parameter);
    if (this.#asked >= this.#options.maxRecipients) return proxyReplies.tooManyRecipients;
    if (this.#rejected >= this.#options.maxRejected) return this.#close(proxyReplies.tooManyRejected);
    this.#asked += 1;
    const refusal = await this.#judge(octetsToText(path));
    return refusal ?? this.#forward(`RCPT TO:<${withoutRoute(path)}>${spaced(parameters)}`);
  }

  /** The reply to a recipient that is not to be accepted; undefined for one that may be. */
  async #judge(recipient: string): Promise<string | undefined> {
    const client = this.#told === undefined ? undefined : addressOf(this.#told);
    const question: Question = {
      recipient,
      form: 'smtp',
      sender: this.#sender,
      client: client ?? this.#client,
      edge: 'proxy',
    };
    // RFC 5321 §4.5.1: `postmaster` without a domain is always taken.
    const isPostmaster = recipient.toLowerCase() === 'postmaster';
    const verdict = isPostmaster ? postmaster : await ask(this.#options, question);
    tell(this.#options, question, verdict);
    if (verdict.action === 'accept') return undefined;
    if (verdict.action === 'reject') this.#rejected += 1;
    return `${verdict.code} ${verdict.status} ${replyText(verdict)}`;
  }

  async #forward(command: string): Promise<string> {
    const reply = this.#broken ? undefined : await this.#link.command(command);
    if (reply === undefined) {
      this.#broken = true;
      return proxyReplies.lost;
    }
    if (kindOf(reply) === 2) this.#accepted += 1;
    return this.#pass(reply);
  }

  async #data(rest: string): Promise<string> {
    if (rest !== '') return this.#error(proxyReplies.dataSyntax);
    if (this.#sender === undefined) return this.#error(proxyReplies.mailFirst);
    if (this.#asked === 0) return this.#error(proxyReplies.rcptFirst);
    if (this.#broken) return proxyReplies.lost;
    if (this.#accepted === 0) return proxyReplies.noRecipients;
    const reply = await this.#link.data();
    if (reply === undefined) {
      this.#broken = true;
      return proxyReplies.lost;
    }
    const answer = this.#pass(reply);
    if (reply.code === 354) this.next = 'take data';
    return answer;
  }

  /** XFORWARD_README, XCLIENT_README. */
  #introduced(command: 'XFORWARD' | 'XCLIENT', rest: string): string {
    if (!this.#trusted) return this.#error(proxyReplies.notTrusted);
    if (this.#sender !== undefined) return this.#error(proxyReplies.midTransaction);
    const info = parseClientInfo(rest, command === 'XFORWARD' ? forwardNames : clientNames);
    if (info === undefined) return this.#error(proxyReplies.attributes);
    this.#told = new Map([...(this.#told ?? []), ...info]);
    if (command === 'XFORWARD') return proxyReplies.ok;
    this.#helo = undefined;
    return this.greeting();
  }

  #startTls(rest: string): string {
    if (!this.#options.offersTls) return this.#error(proxyReplies.unimplemented);
    if (this.#secure) return this.#error(proxyReplies.tlsActive);
    if (rest !== '') return this.#error(proxyReplies.startTlsSyntax);
    this.next = 'start tls';
    return proxyReplies.startTls;
  }

  async #reset(): Promise<void> {
    if (this.#sender !== undefined && !this.#broken) await this.#link.command('RSET');
    this.#forget();
  }

  #forget(): void {
    // XFORWARD_README: what was told counts for one transaction.
    if (this.#sender !== undefined) this.#told = undefined;
    this.#sender = undefined;
    this.#asked = 0;
    this.#accepted = 0;
    this.#broken = false;
  }

  /** The next hop's reply, as it is. RFC 5321 §3.8: after a 421 the connection is closed. */
  #pass(reply: Reply): string {
    const text = reply.lines.join('\r\n');
    return reply.code === 421 ? this.#close(text) : text;
  }

  /** A reply that counts against the client. RSET and EHLO do not wipe the count. */
  #error(reply: string): string {
    this.#errors += 1;
    if (this.#errors < this.#options.maxErrors) return reply;
    return this.#close(`${reply}\r\n${proxyReplies.tooManyErrors}`);
  }

  #close(reply: string): string {
    this.next = 'close';
    return reply;
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
