/**
 * The network of msal-node: its requests go over our transport, with its proxy, CA, time limit and retries.
 *
 * msal hides a failure of the network behind an error of its own; `takeFailure` gives what it was.
 */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { isRecord } from './graph-error.js';
import type { Http, RetryLimits } from './http.js';
import type { Refusal } from './explain.js';
import type { HttpRequest, HttpResponse } from './transport.js';

/** The token service is asked once an hour, and somebody may wait for it. */
const limits: RetryLimits = { tries: 5, waitMs: 2 * 60_000 };

export interface NetworkClient {
  readonly client: INetworkModule;
  /** Why the last request got no answer, once. */
  takeFailure(): unknown;
  /** What the service said when it refused the last request: msal keeps that of a token request only. */
  refusal(): Refusal | undefined;
  abort(): void;
}

export function createNetworkClient(http: Http): NetworkClient {
  const stop = new AbortController();
  let failure: unknown;
  let refused: HttpResponse | undefined;
  async function send<T>(
    method: HttpRequest['method'],
    url: string,
    { headers = {}, body: sent }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    failure = undefined;
    refused = undefined;
    try {
      const response = await http.send({ method, url, headers, body: sent }, stop.signal, limits);
      if (response.status !== 200) refused = response;
      // msal wants what the service said, whatever that is: it checks the parts it uses
      return { status: response.status, headers: response.headers, body: parse(response.body) as T };
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return {
    client: {
      sendGetRequestAsync: (url, options) => send('GET', url, options),
      sendPostRequestAsync: (url, options) => send('POST', url, options),
    },
    takeFailure: () => {
      const taken = failure;
      failure = undefined;
      return taken;
    },
    refusal: () => (refused === undefined ? undefined : refusalOf(refused)),
    abort: () => stop.abort(new Error('the source was closed')),
  };
}

/** learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, "Error response". */
function refusalOf(response: HttpResponse): Refusal {
  const body = parse(response.body);
  const { error, error_description: description } = isRecord(body) ? body : {};
  return {
    code: typeof error === 'string' ? error : `HTTP ${String(response.status)}`,
    description: typeof description === 'string' ? description : '',
    response,
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
