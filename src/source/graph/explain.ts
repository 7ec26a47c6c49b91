/**
 * What went wrong with Entra ID or Graph, in words that say how to mend it: AADSTS codes, HTTP statuses, certificate and
 * socket errors. Never repeats a secret or a token: none is given to it, and what a service says is cut to its first line.
 */
import { messageOf, RollcallError } from '../../errors.js';
import { PassingFailure } from '../passing-failure.js';
import { codesOf, type GraphError } from './graph-error.js';
import { isPassing, retryAfter } from './http.js';
import type { HttpResponse } from './transport.js';

interface Explained {
  readonly text: string;
  readonly hint: string;
}

/** learn.microsoft.com/entra/identity-platform/reference-error-codes. */
const aadsts: Readonly<Record<string, Explained>> = {
  '7000215': {
    text: 'the client secret is wrong',
    hint: 'Put the value of a client secret into clientSecret, not its id: the portal shows the value once, when it is made.',
  },
  '7000222': {
    text: 'the client secret has expired',
    hint: 'Make a new client secret in the app registration, and put its value into clientSecret.',
  },
  '700016': {
    text: 'there is no such application in this tenant',
    hint: 'Check clientId (the application id of the app registration) and tenantId.',
  },
  '700027': {
    text: 'the certificate is not one of the application',
    hint: 'Upload the certificate of certificate.file to the app registration, under Certificates & secrets.',
  },
  '700024': {
    text: 'the signed assertion is not valid at this time',
    hint: 'Check the clock of this machine.',
  },
  '90002': {
    text: 'there is no such tenant',
    hint: 'Check tenantId, and cloud: a tenant is known in its own national cloud only.',
  },
  '900023': {
    text: 'tenantId is neither an id nor a domain of a tenant',
    hint: 'Check tenantId: the directory id on the overview of Entra ID.',
  },
  '900382': { text: 'the tenant is in another national cloud', hint: 'Check cloud.' },
  '90038': { text: 'the tenant is in another national cloud', hint: 'Check cloud.' },
  '7000112': {
    text: 'the application is disabled',
    hint: 'Enable it under Enterprise applications, or use another.',
  },
  '53003': {
    text: 'a Conditional Access policy forbids it',
    hint: 'Let the application in from this machine’s address: Conditional Access for workload identities.',
  },
};

const certificateErrors: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is signed by a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is signed by a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate is signed by a CA that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is signed by a CA that is not trusted here',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate names another host',
};

const sockets: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped half-way',
};

const reach = 'Check the network, and proxy if one is needed to reach the Internet.';
const inspected =
  'Something in between inspects TLS, or answers instead: set ca to its CA certificate. Check the clock, too.';

/** What the token service said when it gave none. */
export interface Refusal {
  readonly code: string;
  readonly description: string;
  /** Undefined where the answer itself is not known. */
  readonly response?: HttpResponse | undefined;
}

/** A refusal of the token service: `error_description` begins with its AADSTS code. */
export function explainLogin(
  host: string,
  { code, description, response }: Refusal,
  now: number,
): RollcallError {
  // learn.microsoft.com/entra/identity-platform/reference-error-codes, "Handling error codes in your application"
  const isBusy = code === 'temporarily_unavailable';
  if ((response !== undefined && isPassing(response.status)) || isBusy) {
    const { text, hint } = byStatus(isBusy ? 503 : (response?.status ?? 503), '');
    const retryAfterMs = retryAfter(response?.headers['retry-after'], now);
    return new PassingFailure(`${host}: no token: ${text} (${oneLine(`${code} ${description}`)})`, {
      hint,
      retryAfterMs,
    });
  }
  const number = /\bAADSTS(\d{4,8})\b/.exec(description)?.[1];
  const known = number === undefined ? undefined : aadsts[number];
  const said = oneLine(description === '' ? code : description);
  const text = known === undefined ? said : `${known.text} (${said})`;
  const hint = known?.hint ?? 'Check tenantId, clientId and the secret or certificate.';
  return new RollcallError('source', `${host}: no token: ${text}`, { hint });
}

/** A request that got no answer. */
export function explainNetwork(host: string, error: unknown): RollcallError {
  if (error instanceof RollcallError) return error;
  const code = codeOf(error);
  const certificate = certificateErrors[code];
  if (certificate !== undefined) {
    return new RollcallError('source', `${host}: TLS: ${certificate}`, { hint: inspected, cause: error });
  }
  const text = sockets[code] ?? oneLine(messageOf(error));
  return new PassingFailure(`${host}: ${text}`, { hint: reach, cause: error });
}

/** An answer of Graph that is no success; `permission` is what the request needs. */
export function explainAnswer(
  host: string,
  { status, headers }: HttpResponse,
  error: GraphError,
  permission: string,
  now: number,
): RollcallError {
  const codes = codesOf(error).join(', ');
  const request =
    headers['request-id'] === undefined ? '' : `, request ${headers['request-id'].slice(0, 64)}`;
  const said = oneLine([codes, error.message].filter((each) => each !== '').join(': '));
  const { text, hint } = byStatus(status, permission);
  const message = `${host}: ${text} (HTTP ${String(status)} ${said}${request})`;
  // a new secret or a permission granted since takes another token
  if (status === 401 || status === 403) return new RollcallError('source', message, { hint });
  return new PassingFailure(message, { hint, retryAfterMs: retryAfter(headers['retry-after'], now) });
}

function byStatus(status: number, permission: string): Explained {
  if (status === 403) {
    return {
      text: `the application may not read this: it needs ${permission}`,
      hint: `Add the application permission ${permission} to the app registration, and grant admin consent.`,
    };
  }
  if (status === 401)
    return {
      text: 'the token is not taken',
      hint: 'Check cloud and tenantId, and the clock of this machine.',
    };
  if (status === 429 || status === 509)
    return {
      text: 'the tenant is throttled',
      hint: 'Read less often; other applications of the tenant count towards its limits as well.',
    };
  if (status >= 500)
    return {
      text: 'the service is failing',
      hint: 'Try again later; see the service health of Microsoft 365.',
    };
  return { text: 'the request was refused', hint: '' };
}

function oneLine(text: string): string {
  const [first = ''] = text.trim().split(/[\r\n]/);
  return first.replace(/\s+/g, ' ').slice(0, 300);
}

function codeOf(error: unknown): string {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') return each.code;
  }
  return '';
}

/** The directory asks to begin again while everything is read already (delta-query-overview, "Synchronization reset"). */
export function explainLost(host: string, lost: Error): RollcallError {
  return new RollcallError(
    'source',
    `${host}: the directory asks to begin the read again (${lost.message})`,
    {
      hint: 'It does so during maintenance. The next run reads everything again.',
      cause: lost,
    },
  );
}
