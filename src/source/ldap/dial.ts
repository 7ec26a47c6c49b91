/**
 * A socket to a directory server, ready for LDAP: TCP, then TLS for `ldaps://`, or StartTLS (RFC 4511 §4.14) when asked.
 *
 * Promises: certificates are verified against the host of the URL (or tls.servername) before a byte of LDAP is sent over
 * TLS; every step ends within its timeout or when the signal aborts; a socket that failed is destroyed.
 * ldapts never opens a connection itself: it would do so again, unencrypted and unbound, when one is lost.
 */
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client } from 'ldapts';
import type { LdapTls } from './options.js';

export interface DialOptions {
  readonly startTls: boolean;
  readonly tls: LdapTls;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const startTlsOid = '1.3.6.1.4.1.1466.20037';

/** Throws the socket's, the certificate's or the server's own error; explain.ts puts it into words. */
export async function dial(url: string, options: DialOptions): Promise<Socket> {
  const { host, port, secure } = parseLdapUrl(url);
  const socket = connect({ host, port, noDelay: true });
  await settle(socket, 'connect', 'connecting', options);
  if (secure) return encrypt(socket, host, options);
  if (!options.startTls) return socket;
  await requestStartTls(socket, url, options);
  return encrypt(socket, host, options);
}

export function parseLdapUrl(url: string): { host: string; port: number; secure: boolean } {
  const parsed = new URL(url);
  const secure = parsed.protocol === 'ldaps:';
  const port = parsed.port === '' ? (secure ? 636 : 389) : Number(parsed.port);
  return { host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure };
}

/** Hands ldapts a socket that is connected already, once: a second call is a reconnection, and refused. */
export function adopt(socket: Socket, url: string, timeoutMs: number): Client {
  let used = false;
  const createConnection = (): Socket => {
    if (used) throw new Error('the connection was lost');
    used = true;
    return socket;
  };
  // Always ldap://: TLS is ours (dial.ts), and tlsOptions would make ldapts speak TLS at once, whatever the port.
  const { host, port } = parseLdapUrl(url);
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return new Client({ url: `ldap://${name}:${String(port)}`, timeout: timeoutMs, createConnection });
}

async function requestStartTls(socket: Socket, url: string, options: DialOptions): Promise<void> {
  const plain = adopt(socket, url, Math.min(options.timeoutMs, options.connectTimeoutMs));
  const abort = (): void => void socket.destroy();
  options.signal.addEventListener('abort', abort, { once: true });
  const own = listenersOf(socket);
  try {
    await plain.exop(startTlsOid);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abort);
    // Nothing that came in the clear after the answer may be taken for an answer under TLS: its reader goes with it.
    for (const { event, listener } of listenersOf(socket)) {
      if (!own.some((known) => known.listener === listener)) socket.off(event, listener);
    }
  }
}

type Listener = (...args: unknown[]) => void;

function listenersOf(socket: Socket): { event: string; listener: Listener }[] {
  const events = ['data', 'end', 'error', 'close', 'timeout'];
  return events.flatMap((event) =>
    socket.rawListeners(event).map((listener) => ({ event, listener: listener as Listener })),
  );
}

async function encrypt(socket: Socket, host: string, options: DialOptions): Promise<TLSSocket> {
  const name = options.tls.servername ?? host;
  const secured = connectTls({
    socket,
    // Without a host Node checks the certificate of a wrapped socket against "localhost".
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(options.tls.ca === undefined ? {} : { ca: options.tls.ca }),
    rejectUnauthorized: options.tls.verify,
  });
  try {
    await settle(secured, 'secureConnect', 'the TLS handshake', options);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return secured;
}

/** Waits for the event; destroys the socket and throws on error, close, timeout and abort. */
async function settle(socket: Socket, event: string, what: string, options: DialOptions): Promise<void> {
  const timeout = AbortSignal.timeout(options.connectTimeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  const closed = new AbortController();
  const onClose = (): void => closed.abort();
  socket.once('close', onClose);
  try {
    await once(socket, event, { signal: AbortSignal.any([signal, closed.signal]) });
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    options.signal.throwIfAborted();
    if (timeout.aborted) throw new Error(`${what} took longer than ${String(options.connectTimeoutMs)} ms`);
    if (closed.signal.aborted) throw new Error(`the server closed the connection during ${what}`);
    throw error;
  } finally {
    socket.off('close', onClose);
  }
}
