/**
 * An SMTP session that asks about recipients and never sends a message: MAIL, RCPT, RSET, as often as wanted.
 *
 * Promises that DATA is never said. Each recipient has a transaction of its own: several in one from the null sender look
 * like a forged bounce to some servers. Rejects when the server cannot be asked (connection, greeting, EHLO, TLS, MAIL).
 */
import { isIP } from 'node:net';
import type { Reply } from './finding.js';
import { Wire, type Deadline, type Host } from './wire.js';

export interface SessionOptions {
  /** `off`: never; `opportunistic`: when offered, whatever the certificate; `required`: always; `verified`: and it must be right. */
  readonly tls: 'off' | 'opportunistic' | 'required' | 'verified';
  /** PEM of the CA for `verified`; the system's without it. */
  readonly ca?: string | undefined;
  /** What EHLO says. */
  readonly hello: string;
  /** Reverse-path; empty for the null one. */
  readonly sender: string;
}

export interface SmtpSession {
  readonly host: Host;
  /** The reply to RCPT TO. `address` is an RFC 5321 Mailbox. Undefined: this server cannot be asked about such an address. */
  ask(address: string, deadline: Deadline): Promise<Reply | undefined>;
  readonly wire: Wire;
}

const nonAscii = /[^\x00-\x7f]/;

export async function openSession(
  host: Host,
  options: SessionOptions,
  deadline: Deadline,
): Promise<SmtpSession> {
  try {
    return await open(host, options, deadline);
  } catch (error) {
    // whoever would take it in the clear anyway loses nothing by a broken TLS
    if (!(error instanceof TlsFailure) || options.tls !== 'opportunistic') throw error;
    return await open(host, { ...options, tls: 'off' }, deadline);
  }
}

class TlsFailure extends Error {}

async function open(host: Host, options: SessionOptions, deadline: Deadline): Promise<SmtpSession> {
  const wire = new Wire(host);
  try {
    expect(await wire.greeting(deadline), 220, 'greeting');
    let features = await hello(wire, options, deadline);
    if (options.tls !== 'off' && features.has('STARTTLS')) {
      await startTls(wire, host, options, deadline);
      features = await hello(wire, options, deadline);
    } else if (options.tls === 'required' || options.tls === 'verified') {
      throw new Error('it does not offer STARTTLS');
    }
    const ask = createAsk(wire, options, features);
    return { host, wire, ask };
  } catch (error) {
    wire.destroy();
    throw error;
  }
}

async function hello(wire: Wire, options: SessionOptions, deadline: Deadline): Promise<ReadonlySet<string>> {
  const reply = await wire.command(`EHLO ${options.hello}`, deadline);
  if (reply.code === 250)
    return new Set(reply.lines.slice(1).map((line) => line.split(' ')[0]?.toUpperCase() ?? ''));
  // RFC 5321 §3.2: who does not know EHLO is greeted with HELO
  expect(await wire.command(`HELO ${options.hello}`, deadline), 250, 'HELO');
  return new Set();
}

async function startTls(
  wire: Wire,
  { host }: Host,
  { tls, ca }: SessionOptions,
  deadline: Deadline,
): Promise<void> {
  const reply = await wire.command('STARTTLS', deadline);
  if (reply.code !== 220) throw new TlsFailure(`STARTTLS: ${textOf(reply)}`);
  const name = isIP(host) === 0 ? { servername: host } : {};
  const trust = { rejectUnauthorized: tls === 'verified', ...(ca !== undefined && { ca }) };
  // `host` is whom the certificate must name, also when that is an address
  const options = { host, ...name, ...trust };
  try {
    await wire.upgrade(options, deadline);
  } catch (cause) {
    throw new TlsFailure(`TLS: ${(cause as Error).message}`, { cause });
  }
}

function createAsk(
  wire: Wire,
  { sender }: SessionOptions,
  features: ReadonlySet<string>,
): SmtpSession['ask'] {
  let inTransaction = false;
  return async (address, deadline) => {
    const isUtf8 = nonAscii.test(address);
    // RFC 6531 §3.3: such an address must not be sent to a server that does not know it
    if (isUtf8 && !features.has('SMTPUTF8')) return undefined;
    if (inTransaction) expect(await wire.command('RSET', deadline), 250, 'RSET');
    inTransaction = true;
    expect(await wire.command(`MAIL FROM:<${sender}>${isUtf8 ? ' SMTPUTF8' : ''}`, deadline), 250, 'MAIL');
    const reply = await wire.command(`RCPT TO:<${address}>`, deadline);
    // RFC 5321 §3.8: 421 to anything means that the connection ends
    if (reply.code === 421) throw new Error(`RCPT: ${textOf(reply)}`);
    return reply;
  };
}

function expect(reply: Reply, code: number, what: string): void {
  if (reply.code !== code) throw new Error(`${what}: ${textOf(reply)}`);
}

/** A reply on one line, short, for the log. */
export function textOf({ code, lines }: Reply): string {
  return `${code} ${lines.join(' ')}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
