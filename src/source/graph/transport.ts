/**
 * One HTTPS request, over undici: through the configured proxy, trusting the configured CA, bounded in time and size.
 *
 * Promises: an answer of any status is returned whole, up to the bound; a request ends within its time or when the signal
 * aborts. Retries nothing (http.ts does). Refuses to follow redirects: Graph gives none, and a token must not be carried elsewhere.
 */
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { Agent, EnvHttpProxyAgent, ProxyAgent, request, type Dispatcher } from 'undici';
import { messageOf, RollcallError } from '../../errors.js';
import { deadlineOf } from '../deadline.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; of a header that came several times, the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TransportOptions {
  /** `environment`, `none`, or the URL of a proxy. */
  readonly proxy: string;
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

export interface Transport {
  /** Throws what the network throws; a plain Error when it took too long or too much came; the reason of an aborted signal. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}

const maxBytes = 32 * 1024 * 1024;
const maxConnections = 8;

export function createTransport(options: TransportOptions): Transport {
  const dispatcher = dispatcherFor(options);
  return {
    send: (asked, signal) => send(dispatcher, asked, options.timeoutMs, signal),
    close: () => dispatcher.destroy(),
  };
}

function dispatcherFor({ proxy, ca, timeoutMs }: TransportOptions): Dispatcher {
  const tls = ca === undefined ? {} : { secureContext: contextFor(ca) };
  const common = {
    connections: maxConnections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { ...tls, timeout: timeoutMs },
  };
  if (proxy === 'none') return new Agent(common);
  const proxied = { ...common, requestTls: tls, proxyTls: tls };
  if (proxy === 'environment') return new EnvHttpProxyAgent(proxied);
  return new ProxyAgent({ ...proxied, uri: proxy });
}

let lastContext: { readonly ca: string; readonly context: SecureContext } | undefined;

/** Made once: reading all the certificates takes a third of a second, and with `ca` each connection would do it. */
function contextFor(ca: string): SecureContext {
  if (lastContext?.ca === ca) return lastContext.context;
  try {
    lastContext = { ca, context: createSecureContext({ ca: [...rootCertificates, ca] }) };
    return lastContext.context;
  } catch (cause) {
    throw new RollcallError('config', `the CA certificate cannot be read: ${messageOf(cause)}`, {
      hint: 'ca must name a PEM file that holds certificates.',
      cause,
    });
  }
}

async function send(
  dispatcher: Dispatcher,
  asked: HttpRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const deadline = deadlineOf(timeoutMs, signal);
  try {
    const { url, method, headers, body } = asked;
    const response = await request(url, {
      ...{ dispatcher, method, headers, signal: deadline.signal },
      body: body ?? null,
    });
    return {
      status: response.statusCode,
      headers: firstOf(response.headers),
      body: await textOf(response.body),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.signal.aborted)
      throw new Error(`no answer within ${String(timeoutMs)} ms`, { cause: error });
    throw error;
  } finally {
    deadline.done();
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer is longer than ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function firstOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name.toLowerCase(), first]];
    }),
  );
}
