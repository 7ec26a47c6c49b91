/**
 * Access tokens for Graph: OAuth 2.0 client credentials, by secret or certificate, through msal-node.
 *
 * Promises: one request for a token however many wait for it; a new one five minutes before the old one ends, or when it is
 * not taken; all of it over our own transport, for msal's has no proxy and no time limit. Refuses to log: msal's logger is not set.
 */
import { ConfidentialClientApplication, ServerError, type NodeAuthOptions } from '@azure/msal-node';
import { asRollcallError, RollcallError } from '../../errors.js';
import { clientCertificate } from './certificate.js';
import { explainLogin, explainNetwork } from './explain.js';
import type { Http } from './http.js';
import { createNetworkClient } from './network-client.js';
import type { GraphSourceOptions } from './options.js';

/** So long before its end a token is not used for another request. */
const earlyMs = 5 * 60_000;

interface Token {
  readonly text: string;
  readonly expires: number;
}

export class Tokens {
  readonly #host: string;
  readonly #network: ReturnType<typeof createNetworkClient>;
  #application: ConfidentialClientApplication | undefined;
  #token: Token | undefined;
  #pending: Promise<Token> | undefined;

  constructor(
    readonly options: GraphSourceOptions,
    readonly http: Http,
  ) {
    this.#host = new URL(options.login).host;
    this.#network = createNetworkClient(http);
  }

  /** A token that is good for some minutes more, and is not `refused`. Throws a RollcallError, or the reason of the signal. */
  async get(signal: AbortSignal, refused?: string): Promise<string> {
    const { now } = this.http.clock;
    const known = this.#token;
    if (known !== undefined && known.text !== refused && known.expires - earlyMs > now()) return known.text;
    this.#pending ??= this.#acquire(known !== undefined).finally(() => (this.#pending = undefined));
    return (await orAborted(this.#pending, signal)).text;
  }

  /** Ends what is asked at the moment; nothing more can be asked. */
  close(): void {
    this.#network.abort();
  }

  async #acquire(again: boolean): Promise<Token> {
    try {
      this.#application ??= new ConfidentialClientApplication({
        auth: this.#auth(),
        system: { networkClient: this.#network.client },
      });
      const result = await this.#application.acquireTokenByClientCredential({
        scopes: [`${this.options.graph}/.default`],
        skipCache: again,
      });
      if (result === null || result.accessToken === '')
        throw new RollcallError('source', `${this.#host}: the answer holds no token`);
      // msal reckons with the system's clock
      const lifetime = (result.expiresOn?.getTime() ?? 0) - Date.now();
      this.#token = { text: result.accessToken, expires: this.http.clock.now() + lifetime };
      return this.#token;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #auth(): NodeAuthOptions {
    const { name, clientId, tenantId, login, credential } = this.options;
    const proof =
      credential.kind === 'secret'
        ? { clientSecret: credential.secret }
        : { clientCertificate: clientCertificate(name, credential, this.http.clock.now()) };
    // known to be right, so that msal does not ask the global cloud about the authorities of others
    return { clientId, authority: `${login}/${tenantId}`, knownAuthorities: [this.#host], ...proof };
  }

  #explain(error: unknown): RollcallError {
    if (error instanceof RollcallError) return error;
    const failure = this.#network.takeFailure();
    if (failure !== undefined) return explainNetwork(this.#host, failure);
    const refusal = this.#network.refusal();
    const now = this.http.clock.now();
    if (refusal !== undefined) return explainLogin(this.#host, refusal, now);
    if (error instanceof ServerError) {
      const { errorCode: code, errorMessage: description } = error;
      return explainLogin(this.#host, { code, description }, now);
    }
    const known = asRollcallError(error, 'source');
    return new RollcallError('source', `${this.#host}: no token: ${known.message}`, { cause: error });
  }
}

/** What is awaited goes on for the others who wait for it. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
