/**
 * One GET over undici, redirects followed by hand: through the proxy, trusting the CA, bounded in time.
 *
 * Promises: encrypted stays encrypted; at most five redirects; the configured headers go to the configured host only, and
 * never again once a redirect has left it. Throws `source`, with the words of trouble.ts.
 */
import { rootCertificates } from 'node:tls';
import { Agent, EnvHttpProxyAgent, ProxyAgent, request, type Dispatcher } from 'undici';
import { RollcallError } from '../../../errors.js';
import { labelOf, type DownloadOptions } from './options.js';

const maxRedirects = 5;
const maxIdleMs = 30_000;

export interface Answer {
  readonly status: number;
  /** The value of a header that came once or more; undefined when it did not come. */
  readonly header: (name: string) => string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

export function dispatcherFor(options: DownloadOptions): Dispatcher {
  const { proxy, ca, timeoutMs, idleMs = maxIdleMs } = options;
  const tls = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  const quietMs = Math.min(idleMs, timeoutMs);
  const common = {
    headersTimeout: quietMs,
    bodyTimeout: quietMs,
    connect: { ...tls, timeout: quietMs },
  };
  if (proxy === 'none') return new Agent(common);
  const proxied = { ...common, requestTls: tls, proxyTls: tls };
  return proxy === 'environment'
    ? new EnvHttpProxyAgent(proxied)
    : new ProxyAgent({ ...proxied, uri: proxy });
}

/** The first answer that is no redirect. `conditions` are headers that do not tell who we are: they go everywhere. */
export async function get(
  options: DownloadOptions,
  conditions: Readonly<Record<string, string>>,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Answer> {
  const start = urlOf(options);
  let url = start;
  let atHome = true;
  for (let hops = 0; hops <= maxRedirects; hops += 1) {
    const { statusCode, headers, body } = await request(url, {
      ...{ dispatcher, signal },
      headers: { ...plainHeaders, ...(atHome ? lowerCase(options.headers) : {}), ...conditions },
    });
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    };
    const location = isRedirect.has(statusCode) ? header('location') : undefined;
    if (location === undefined) return { status: statusCode, header, body };
    await body.dump({ limit: 65_536 });
    url = redirected(labelOf(options), url, location);
    atHome &&= url.origin === start.origin;
  }
  throw new RollcallError('source', `${labelOf(options)}: more than ${String(maxRedirects)} redirects`);
}

const plainHeaders = {
  accept: 'text/csv, text/plain;q=0.9, */*;q=0.5',
  'accept-encoding': 'gzip',
  // RFC 9111 §5.2.1.4: a cache on the way must ask whether what it has is still true
  'cache-control': 'no-cache',
  'user-agent': 'Rollcall',
} as const;

const isRedirect: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]); // RFC 9110 §15.4

function urlOf({ url, secretQuery }: DownloadOptions): URL {
  const whole = new URL(url);
  if (secretQuery !== undefined) whole.search = secretQuery;
  return whole;
}

function redirected(label: string, from: URL, location: string): URL {
  const refuse = (why: string): RollcallError =>
    new RollcallError('source', `${label}: it redirects ${why}`, {
      hint: 'Set `url` of the source to where the list is.',
    });
  if (!URL.canParse(location, from.href)) throw refuse('to an address that cannot be understood');
  const to = new URL(location, from.href);
  if (to.username !== '' || to.password !== '') throw refuse('to an address with a user in it');
  if (to.protocol === 'https:') return to;
  // from one plain page of this machine to another
  if (from.protocol === 'http:' && to.protocol === 'http:' && to.hostname === from.hostname) return to;
  throw refuse(`to ${to.protocol}//${to.host}, which is not encrypted`);
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
