/**
 * One session of the proxy: reads the client's commands one after the other, sends the replies, upgrades to TLS, hands
 * messages on.
 *
 * Promises: what the client had asked when `finish` is called is answered, and a transaction under way may end; when either
 * side goes, the other connection and all timers go with it, and no final dot is sent that the client did not send. Refuses
 * lines that are too long, silence, sessions that never end, and plaintext behind STARTTLS.
 */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { MailLog } from '../../telemetry/mail-log.js';
import { maxLineLength } from '../edge-options.js';
import type { Session } from '../listener.js';
import { plainAddress } from './client-info.js';
import { Conversation, type ConversationOptions } from './conversation.js';
import { Link, type LinkOptions } from './link.js';
import { pump, type Pumped } from './pump.js';
import { handshake } from './handshake.js';
import { proxyReplies } from './replies.js';
import { Wire } from './wire.js';

export interface ProxySessionOptions extends ConversationOptions, LinkOptions {
  readonly mailLog: MailLog;
  /** For the client's next command, or the next bytes of its message. */
  readonly idleTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** The certificate that is good at this moment; undefined when there is none. */
  readonly secureContext: () => SecureContext | undefined;
  readonly isTrusted: (address: string | undefined) => boolean;
}

/** How long a client whose connection we close may take to read what it was sent. */
const lingerMs = 1000;

/** `isLocal`: it came in by a unix socket. */
export function openProxySession(
  socket: Socket,
  options: ProxySessionOptions,
  closed: () => void,
  isLocal: boolean,
): Session {
  const client = socket.remoteAddress === undefined ? undefined : plainAddress(socket.remoteAddress);
  const link = new Link(options, {
    sourceAddress: client,
    sourcePort: socket.remotePort,
    ownAddress: socket.localAddress === undefined ? undefined : plainAddress(socket.localAddress),
    ownPort: socket.localPort,
  });
  const conversation = new Conversation(options, link, client, options.isTrusted(isLocal ? 'local' : client));
  const wire = new Wire(socket, { maxLine: maxLineLength, onClose: onGone, onEnd });
  const deadline = setTimeout(() => cut(proxyReplies.expired), options.sessionTimeoutMs);
  let lingering: NodeJS.Timeout | undefined;
  let out = '';
  let draining = false;
  /** Waiting for a command. */
  let idle = false;
  /** A command is under way. */
  let asking = false;
  let handshaking = false;
  /** Nothing more is said. */
  let over = false;

  function onGone(): void {
    over = true;
    clearTimeout(deadline);
    clearTimeout(lingering);
    link.destroy();
    socket.destroy();
    closed();
  }

  /**
   * A client that shuts down its side has its answers still, if it had asked for more than the one under way. Otherwise it is
   * gone, and the next hop is not kept waiting for it.
   */
  function onEnd(): void {
    if (asking && !wire.holds) wire.destroy();
  }

  async function run(): Promise<void> {
    say(conversation.greeting());
    while (!over) {
      const command = await nextCommand();
      if (command === undefined) break;
      asking = true;
      say(await conversation.take(command.text, command.bare));
      asking = false;
      await follow();
    }
    leave();
  }

  async function nextCommand(): Promise<{ text: string; bare: boolean } | undefined> {
    // One that writes and never reads is asked for no more than its answers have room for.
    if (!(await wire.drained(options.idleTimeoutMs))) return undefined;
    if (draining && !wire.holds) setImmediate(leaveIfIdle);
    idle = true;
    const waiting = wire.line(options.idleTimeoutMs);
    // What is answered together leaves together: written when nothing more is here to be answered at once.
    if (!wire.holds) flush();
    const command = await waiting;
    idle = false;
    return over ? undefined : command;
  }

  /** What comes after the reply. */
  async function follow(): Promise<void> {
    switch (conversation.next) {
      case 'take data':
        return takeData();
      case 'start tls':
        return startTls();
      case 'close':
        hangUp();
        break;
      case 'go on':
        if (out.length >= flushAt) flush();
    }
  }

  async function takeData(): Promise<void> {
    const { hop } = link;
    if (hop === undefined) return;
    flush();
    const { blockMs, finalMs } = options.timeouts;
    const timeouts = { clientMs: options.idleTimeoutMs, blockMs, finalMs };
    answerFor(await pump(wire, hop, timeouts));
  }

  function answerFor(pumped: Pumped): void {
    switch (pumped.kind) {
      case 'answered':
        say(conversation.taken(pumped.reply));
        if (conversation.next === 'close') hangUp();
        return;
      case 'hop lost':
        say(conversation.taken(undefined));
        return;
      case 'smuggling':
        options.mailLog.protocolError('proxy', client, 'a line of a dot with bare CR or LF in a message');
        say(proxyReplies.smuggling);
        hangUp();
        return;
      case 'client lost':
        leave();
    }
  }

  async function startTls(): Promise<void> {
    const secureContext = options.secureContext();
    if (wire.holds || secureContext === undefined) {
      // RFC 3207 §6, and the attack of 2011: commands sent before TLS must not be taken for ones sent within it.
      options.mailLog.protocolError('proxy', client, 'plaintext behind STARTTLS');
      out = '';
      say(proxyReplies.injected);
      hangUp();
      return;
    }
    flush();
    wire.detach();
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    wire.upgrade(secure);
    handshaking = true;
    const done = await handshake(secure, options.idleTimeoutMs);
    handshaking = false;
    if (done) await conversation.secured();
    else wire.destroy();
  }

  /** The client says nothing more: it is gone, or shut its side down, or was silent for too long. */
  function leave(): void {
    switch (wire.lost) {
      case 'timeout':
        cut(proxyReplies.idle);
        return;
      case 'line too long':
        options.mailLog.protocolError('proxy', client, 'line too long');
        say(`${proxyReplies.tooLong}\r\n${proxyReplies.closing}`);
        hangUp();
        return;
      default:
        hangUp();
    }
  }

  /** Ends the session for a reason that the client did not ask for. */
  function cut(reply: string): void {
    if (over) return;
    options.mailLog.sessionCut('proxy', client, reply);
    say(reply);
    hangUp();
  }

  function leaveIfIdle(): void {
    if (over || !idle || wire.holds || conversation.inTransaction) return;
    say(proxyReplies.shutdown);
    hangUp();
  }

  function say(reply: string): void {
    // During the handshake anything written would be plaintext amid TLS records.
    if (!over && !handshaking) out += `${reply}\r\n`;
  }

  function flush(): void {
    if (out !== '') wire.write(out);
    out = '';
  }

  function hangUp(): void {
    if (over) return;
    flush();
    over = true;
    clearTimeout(deadline);
    // In the midst of a message this is the end of it; between messages a word of farewell.
    if (conversation.inTransaction) link.destroy();
    else link.quit();
    // Read on and throw away: closing with input unread would reset the connection under the last reply.
    wire.discard();
    wire.socket.end();
    lingering = setTimeout(() => wire.destroy(), lingerMs);
    wire.lose('closed');
  }

  function finish(): void {
    draining = true;
    // Two turns of the loop, so that what the client had sent by now is read and answered first.
    setImmediate(() => setImmediate(leaveIfIdle));
  }

  function destroy(): void {
    say(proxyReplies.shutdown);
    flush();
    wire.destroy();
  }

  run().catch((error: unknown) => {
    options.log.error({ edge: 'proxy', err: error }, 'session failed');
    cut(proxyReplies.closing);
  });
  return { finish, destroy };
}

/** Replies gathered beyond this are written at once. */
const flushAt = 16_384;
