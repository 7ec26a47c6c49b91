/**
 * The token service of the local Graph server: OIDC metadata, and client credentials by secret or signed assertion.
 *
 * - learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow: the parameters, the answer, its errors;
 * - learn.microsoft.com/entra/identity-platform/certificate-credentials: PS256, x5t#S256, aud, iss, sub, jti, nbf, exp;
 * - learn.microsoft.com/entra/identity-platform/reference-error-codes: AADSTS numbers.
 */
import { constants, createHash, randomBytes, verify, X509Certificate } from 'node:crypto';
import type { Reply } from './graph-reply.js';

export interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  /** Values of client secrets, and whether they still count. */
  readonly secrets: Readonly<Record<string, 'valid' | 'expired'>>;
  /** PEM; undefined: none was uploaded. */
  readonly certificate?: string | undefined;
}

export class GraphLogin {
  /** Lifetime of a token, in seconds; the real one gives 60 to 90 minutes. */
  lifetime = 3599;
  /** Tokens given, in order. */
  readonly issued: string[] = [];
  readonly #live = new Map<string, { readonly until: number; readonly roles: readonly string[] }>();
  readonly #assertions = new Set<string>();

  constructor(
    readonly application: Application,
    readonly origin: () => string,
    readonly graph: () => string,
    readonly now: () => number,
    /** Application permissions that were granted. */
    readonly roles: () => readonly string[] = () => [],
  ) {}

  /**
   * The permissions that a token carries, from when it was given: what is granted or taken away later counts for later tokens
   * (entra/identity-platform/access-tokens). Undefined when the token does not count.
   */
  rolesOf(token: string): readonly string[] | undefined {
    const live = this.#live.get(token);
    return live !== undefined && live.until > this.now() ? live.roles : undefined;
  }

  /** Every token given so far is taken no more. */
  revoke(): void {
    this.#live.clear();
  }

  answer(method: string, path: string, body: URLSearchParams): Reply {
    const { tenantId } = this.application;
    const [, tenant = '', ...rest] = path.split('/');
    if (tenant !== tenantId) return refuse(400, 'invalid_request', 90002, `Tenant '${tenant}' not found.`);
    if (method === 'GET' && rest.join('/') === 'v2.0/.well-known/openid-configuration')
      return this.#metadata();
    if (method === 'POST' && rest.join('/') === 'oauth2/v2.0/token') return this.#token(body);
    return { status: 404, body: '' };
  }

  #metadata(): Reply {
    const base = `${this.origin()}/${this.application.tenantId}`;
    return {
      status: 200,
      body: {
        issuer: `${base}/v2.0`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        end_session_endpoint: `${base}/oauth2/v2.0/logout`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
      },
    };
  }

  #token(body: URLSearchParams): Reply {
    const refused = this.#refusal(body);
    if (refused !== undefined) return refused;
    // entra/identity-platform/access-token-claims-reference; not signed for real, as nobody but Graph may check it
    const roles = this.roles();
    const claims = {
      aud: this.graph(),
      appid: this.application.clientId,
      app_displayname: 'Rollcall',
      roles,
    };
    const parts = [
      { typ: 'JWT', alg: 'RS256' },
      { ...claims, tid: this.application.tenantId, uti: randomBytes(16).toString('hex') },
    ];
    const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const token = [...encoded, randomBytes(32).toString('base64url')].join('.');
    this.issued.push(token);
    this.#live.set(token, { until: this.now() + this.lifetime * 1000, roles });
    const answer = { token_type: 'Bearer', expires_in: this.lifetime, ext_expires_in: this.lifetime };
    return { status: 200, body: { ...answer, access_token: token } };
  }

  #refusal(body: URLSearchParams): Reply | undefined {
    const { clientId } = this.application;
    const client = body.get('client_id') ?? '';
    if (client !== clientId)
      return refuse(
        400,
        'unauthorized_client',
        700016,
        `Application with identifier '${client}' was not found.`,
      );
    if (body.get('grant_type') !== 'client_credentials')
      return refuse(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
    const scopes = (body.get('scope') ?? '').split(' ');
    if (!scopes.includes(`${this.graph()}/.default`))
      return refuse(
        400,
        'invalid_scope',
        70011,
        `The provided value for the input parameter 'scope' is not valid.`,
      );
    const assertion = body.get('client_assertion');
    return assertion === null
      ? this.#secret(body.get('client_secret') ?? '')
      : this.#assertion(body, assertion);
  }

  #secret(secret: string): Reply | undefined {
    const state = this.application.secrets[secret];
    if (state === 'valid') return undefined;
    if (state === 'expired')
      return refuse(401, 'invalid_client', 7000222, 'The provided client secret keys are expired.');
    const message =
      'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.';
    return refuse(401, 'invalid_client', 7000215, message);
  }

  #assertion(body: URLSearchParams, assertion: string): Reply | undefined {
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const [header = '', payload = '', signature = ''] = assertion.split('.');
    const wrong = this.#wrongAssertion(decode(header), decode(payload), header, payload, signature);
    const text = body.get('client_assertion_type') === type ? wrong : 'client_assertion_type is missing';
    return text === undefined
      ? undefined
      : refuse(401, 'invalid_client', 700027, `Client assertion failed signature validation: ${text}.`);
  }

  #wrongAssertion(
    head: Claims,
    claims: Claims,
    header: string,
    payload: string,
    signature: string,
  ): string | undefined {
    const { certificate, clientId, tenantId } = this.application;
    if (certificate === undefined) return 'no certificate was uploaded';
    const x509 = new X509Certificate(certificate);
    const thumbprint = createHash('sha256').update(x509.raw).digest('base64url');
    if (head['alg'] !== 'PS256' || head['typ'] !== 'JWT') return 'alg is not PS256';
    if (head['x5t#S256'] !== thumbprint) return 'the certificate is not registered';
    const key = { key: x509.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')))
      return 'the signature is wrong';
    if (claims['iss'] !== clientId || claims['sub'] !== clientId) return 'iss or sub is not the application';
    if (claims['aud'] !== `${this.origin()}/${tenantId}/oauth2/v2.0/token`)
      return `aud is ${String(claims['aud'])}`;
    const seconds = Date.now() / 1000;
    if (Number(claims['exp']) <= seconds || Number(claims['nbf']) > seconds + 300)
      return 'it is not valid now';
    const jti = String(claims['jti']);
    if (this.#assertions.has(jti)) return 'it was used before';
    this.#assertions.add(jti);
    return undefined;
  }
}

type Claims = Readonly<Record<string, unknown>>;

function decode(part: string): Claims {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
}

function refuse(status: number, error: string, code: number, message: string): Reply {
  const trace =
    'Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333 Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd';
  return {
    status,
    body: { error, error_description: `AADSTS${code}: ${message} ${trace}`, error_codes: [code] },
  };
}
