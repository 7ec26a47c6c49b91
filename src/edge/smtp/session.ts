/**
 * One SMTP session of the call-ahead edge, on smtp-server's connection: theirs are the line splitting, the back-pressure,
 * the STARTTLS upgrade and the half-close; the replies are the conversation's.
 *
 * Promises: the replies to one chunk of input leave in one write; what the client had asked when `finish` is called is
 * answered, and an open transaction may end. Refuses lines that are too long, talking before the greeting, and silence.
 * A command is answered at once, or with a promise that never rejects and is settled in time, so no hook of smtp-server can
 * reject, answer twice, or hang.
 */
import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import type { Session } from '../listener.js';
import { Conversation, type ConversationOptions } from './conversation.js';
import { smtpReplies } from './replies.js';

export interface SmtpSessionOptions extends ConversationOptions {
  readonly mailLog: MailLog;
  readonly greetingDelayMs: number;
  readonly sessionTimeoutMs: number;
}

/** Replies queued beyond this are written at once instead of at the end of the chunk. */
const flushAt = 16_384;

export class SmtpSession extends SMTPConnection implements Session {
  readonly #options: SmtpSessionOptions;
  readonly #onClosed: () => void;
  readonly #conversation: Conversation;
  readonly #deadline: NodeJS.Timeout;
  #out = '';
  #flushPlanned = false;
  #draining = false;
  /** Somebody else is being asked. */
  #asking = false;
  #leaving: NodeJS.Timeout | undefined;

  constructor(server: SMTPServer, socket: Socket, options: SmtpSessionOptions, closed: () => void) {
    // An id would be used for smtp-server's own log, which is off, and costs random bytes.
    super(server, socket, { id: '-' });
    this.#options = options;
    this.#onClosed = closed;
    const client = this.remoteAddress === '' ? undefined : this.remoteAddress;
    this.#conversation = new Conversation(options, client, this.secure);
    this.#deadline = setTimeout(() => this.#cut(smtpReplies.expired), options.sessionTimeoutMs).unref();
  }

  override init(): void {
    this._setListeners(() => {
      // smtp-server's own 100 ms would cap a client at ten sessions a second and connection.
      if (this.#options.greetingDelayMs === 0) this.#greet();
      else setTimeout(() => this.#greet(), this.#options.greetingDelayMs).unref();
    });
  }

  finish(): void {
    this.#draining = true;
    // Two turns of the loop, so that what the client had sent by now is read and answered first.
    setImmediate(() => setImmediate(() => this.#leaveIfIdle()));
  }

  destroy(): void {
    this.#say(smtpReplies.shutdown);
    this.close();
    this._socket.destroy();
  }

  override _createParser(): SMTPStream {
    const parser = new SMTPStream({ maxCommandLength: this._server.options.maxCommandLength });
    parser.oncommand = (line, next) => {
      // Without `next` it is the rest before the end of input: no CRLF, so no command (RFC 5321 §2.3.8).
      if (next !== undefined) this._onCommand(line, next);
    };
    parser.on('error', () => {
      this.#options.mailLog.protocolError('smtp', this.remoteAddress, 'line too long');
      this.#say(`${smtpReplies.tooLong}\r\n${smtpReplies.closing}`);
      this.close();
    });
    // The client has shut down its side, and everything it asked is answered.
    parser.on('finish', () => this.close());
    return parser;
  }

  override _onCommand(command: Buffer, next: () => void = nothing): void {
    // Sent in plaintext while the handshake ran: never a command (RFC 3207 §6).
    if (this._upgrading) {
      this._whenWritable(next);
      return;
    }
    if (!this._ready) {
      this.#cut(smtpReplies.tooSoon);
      return;
    }
    const reply = this.#conversation.take(command.toString('latin1'));
    if (reply instanceof Promise) void this.#replyLater(reply, next);
    else this.#reply(reply, next);
  }

  /** The parser hands over no further command until `next` is called. */
  async #replyLater(reply: Promise<string>, next: () => void): Promise<void> {
    this.#asking = true;
    const text = await reply;
    this.#asking = false;
    this.#reply(text, next);
  }

  #reply(reply: string, next: () => void): void {
    this.#say(reply);
    this.#goOn(reply, next);
  }

  #goOn(reply: string, next: () => void): void {
    switch (this.#conversation.next) {
      case 'start tls':
        this.#flush();
        this.upgrade(next);
        return;
      case 'close':
        if (reply !== smtpReplies.bye)
          this.#options.mailLog.sessionCut('smtp', this.remoteAddress, reply.slice(reply.lastIndexOf('421')));
        this.close();
        break;
      case 'go on':
        if (this.#draining) setImmediate(() => this.#leaveIfIdle());
    }
    this._whenWritable(next);
  }

  #greet(): void {
    this._ready = true;
    this.#say(this.#conversation.greeting());
  }

  /** Ends the session for a reason that the client did not ask for. */
  #cut(reply: string): void {
    if (this._closing || this._closed) return;
    this.#options.mailLog.sessionCut('smtp', this.remoteAddress, reply);
    this.#say(reply);
    this.close();
  }

  #leaveIfIdle(): void {
    if (this._closing || this._closed || this.#conversation.inTransaction || this._upgrading) return;
    if (this._parser !== false && this._parser.writableLength > 0) {
      // The parser takes a pause after each hundred commands, or waits for the client to read its replies.
      this.#leaving ??= setTimeout(() => {
        this.#leaving = undefined;
        this.#leaveIfIdle();
      }, 10).unref();
      return;
    }
    this.#say(smtpReplies.shutdown);
    this.close();
  }

  #say(reply: string): void {
    // During the handshake anything written would be plaintext amid TLS records.
    if (this._closing || this._closed || this._upgrading) return;
    this.#out += `${reply}\r\n`;
    if (this.#out.length >= flushAt) this.#flush();
    else if (!this.#flushPlanned) {
      this.#flushPlanned = true;
      process.nextTick(() => this.#flush());
    }
  }

  #flush(): void {
    this.#flushPlanned = false;
    const out = this.#out;
    this.#out = '';
    if (out !== '' && this._socket.writable) this._socket.write(out, 'latin1');
  }

  override send(code: number): void {
    // What smtp-server would say by itself; its handlers are not reached, so it has nothing to say but farewell.
    if (code >= 400) this.close();
  }

  override close(): void {
    this.#flush();
    super.close();
  }

  /** Called by smtp-server when TLS is up, the one place it resets a session from. */
  override _resetSession(): void {
    this.#conversation.secured();
  }

  override _onTimeout(): void {
    if (this.#asking) return;
    if (this._closing) this._socket.destroy();
    else if (this._upgrading) this.close();
    else this.#cut(smtpReplies.idle);
  }

  override _onError(): void {
    this.close();
  }

  override _onClose(): void {
    clearTimeout(this.#deadline);
    super._onClose();
    this.#onClosed();
  }
}

function nothing(): void {
  // The parser has nothing to resume.
}
