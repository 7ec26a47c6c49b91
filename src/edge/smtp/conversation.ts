/**
 * The SMTP conversation of one session: a command line in, a reply out. No socket, no clock.
 *
 * Promises: every RCPT is answered with what `decide` says, exactly `code status text`; MAIL is never refused for its
 * sender; no message is ever taken. Refuses, with a code: unknown commands and parameters, commands out of order, too
 * many recipients, rejections, and errors.
 */
import { replies, type Question, type Verdict } from '../../policy/verdict.js';
import { ask, octetsToText, tell, type Asker } from '../ask.js';
import { replyText } from '../reply-text.js';
import { hasControls, parseCommandLine, parsePathArgument, unknownParameter } from './command.js';
import { smtpReplies } from './replies.js';

export interface ConversationOptions extends Asker {
  /** Host name in the greeting. */
  readonly name: string;
  readonly offersTls: boolean;
  readonly maxRecipients: number;
  readonly maxRejected: number;
  readonly maxErrors: number;
}

/** What the session does once the reply is sent. */
export type Next = 'go on' | 'close' | 'start tls';

// RFC 6531 §3.1: SMTPUTF8 goes with 8BITMIME.
const features = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];

const postmaster: Verdict = { ...replies.always, reason: 'always' };

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #client: string | undefined;
  #secure: boolean;
  #greeted = false;
  /** Undefined outside a transaction. */
  #sender: string | undefined;
  #asked = 0;
  #rejected = 0;
  #errors = 0;
  /** After the last reply. */
  next: Next = 'go on';

  constructor(options: ConversationOptions, client: string | undefined, secure: boolean) {
    this.#options = options;
    this.#client = client;
    this.#secure = secure;
  }

  get inTransaction(): boolean {
    return this.#sender !== undefined;
  }

  /** RFC 3207 §4.2: nothing said before TLS counts after it. */
  secured(): void {
    this.#secure = true;
    this.#greeted = false;
    this.#reset();
    this.next = 'go on';
  }

  greeting(): string {
    return `220 ${this.#options.name} ESMTP`;
  }

  /** The reply to one line, given as octets (latin1) without its CRLF; several lines for EHLO, without the last CRLF. A promise when somebody else has to be asked. */
  take(line: string): string | Promise<string> {
    if (hasControls(line)) return this.#error(smtpReplies.controls);
    const { verb, rest } = parseCommandLine(line);
    switch (verb) {
      case 'RCPT':
        return this.#rcpt(rest);
      case 'MAIL':
        return this.#mail(rest);
      case 'EHLO':
      case 'HELO':
        return this.#helo(verb, rest);
      case 'RSET':
        return this.#rset();
      case 'DATA':
        return this.#data();
      case 'STARTTLS':
        return this.#startTls(rest);
      default:
        return this.#aside(verb, rest, line);
    }
  }

  /** The commands that change nothing. */
  #aside(verb: string, rest: string, line: string): string {
    switch (verb) {
      case 'NOOP':
        return smtpReplies.ok;
      case 'QUIT':
        return this.#close(smtpReplies.bye);
      case 'VRFY':
        return rest === '' ? this.#error(smtpReplies.vrfySyntax) : smtpReplies.vrfy;
      case 'HELP':
        return smtpReplies.help;
      case 'EXPN':
      case 'AUTH':
      case 'BDAT':
      case 'TURN':
      case 'ETRN':
        return this.#error(smtpReplies.unimplemented);
      default:
        // A web page that makes a browser talk to us must not get far.
        return /^[A-Z]+ \S+ HTTP\/\d/i.test(line)
          ? this.#close(smtpReplies.http)
          : this.#error(smtpReplies.unknown);
    }
  }

  #helo(verb: 'EHLO' | 'HELO', hostname: string): string {
    // RFC 5321 §4.5.3.1.2. The name itself is not judged: it decides nothing.
    if (hostname === '' || hostname.length > 255) return this.#error(smtpReplies.helo);
    this.#greeted = true;
    this.#reset();
    const { name, offersTls } = this.#options;
    if (verb === 'HELO') return `250 ${name}`;
    const lines = [name, ...features, ...(offersTls && !this.#secure ? ['STARTTLS'] : [])];
    return lines.map((line, at) => `250${at < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
  }

  #mail(rest: string): string {
    if (!this.#greeted) return this.#error(smtpReplies.heloFirst);
    if (this.#sender !== undefined) return this.#error(smtpReplies.nested);
    const argument = parsePathArgument(rest, 'FROM');
    if (argument === undefined) return this.#error(smtpReplies.mailSyntax);
    if (unknownParameter(argument.parameters, 'MAIL')) return this.#error(smtpReplies.parameter);
    this.#sender = octetsToText(argument.path);
    return smtpReplies.sender;
  }

  #rcpt(rest: string): string | Promise<string> {
    if (!this.#greeted) return this.#error(smtpReplies.heloFirst);
    if (this.#sender === undefined) return this.#error(smtpReplies.mailFirst);
    const argument = parsePathArgument(rest, 'TO');
    if (argument === undefined) return this.#error(smtpReplies.rcptSyntax);
    if (unknownParameter(argument.parameters, 'RCPT')) return this.#error(smtpReplies.parameter);
    if (this.#asked >= this.#options.maxRecipients) return smtpReplies.tooManyRecipients;
    if (this.#rejected >= this.#options.maxRejected) return this.#close(smtpReplies.tooManyRejected);
    this.#asked += 1;
    return this.#answer(octetsToText(argument.path));
  }

  #answer(recipient: string): string | Promise<string> {
    const question: Question = {
      recipient,
      form: 'smtp',
      sender: this.#sender,
      client: this.#client,
      edge: 'smtp',
    };
    // RFC 5321 §4.5.1: `postmaster` without a domain is always taken.
    const verdict = recipient.toLowerCase() === 'postmaster' ? postmaster : ask(this.#options, question);
    return verdict instanceof Promise
      ? verdict.then((late) => this.#tellReply(question, late))
      : this.#tellReply(question, verdict);
  }

  #tellReply(question: Question, verdict: Verdict): string {
    if (verdict.action === 'reject') this.#rejected += 1;
    tell(this.#options, question, verdict);
    return `${verdict.code} ${verdict.status} ${replyText(verdict)}`;
  }

  #rset(): string {
    this.#reset();
    return smtpReplies.ok;
  }

  #data(): string {
    if (this.#sender === undefined) return this.#error(smtpReplies.mailFirst);
    if (this.#asked === 0) return this.#error(smtpReplies.rcptFirst);
    this.#reset();
    return smtpReplies.noMessage;
  }

  #startTls(rest: string): string {
    if (!this.#options.offersTls) return this.#error(smtpReplies.unimplemented);
    if (this.#secure) return this.#error(smtpReplies.tlsActive);
    if (rest !== '') return this.#error(smtpReplies.startTlsSyntax);
    this.next = 'start tls';
    return smtpReplies.startTls;
  }

  #reset(): void {
    this.#sender = undefined;
    this.#asked = 0;
  }

  /** A reply that counts against the client. RSET and EHLO do not wipe the count. */
  #error(reply: string): string {
    this.#errors += 1;
    if (this.#errors < this.#options.maxErrors) return reply;
    return this.#close(`${reply}\r\n${smtpReplies.tooManyErrors}`);
  }

  #close(reply: string): string {
    this.next = 'close';
    return reply;
  }
}
