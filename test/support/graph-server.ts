/**
 * A local Microsoft Graph, with the token service that goes with it: two HTTPS servers on loopback, with certificates of the
 * tests' CA. Built from the documentation; each part says of which page. Nothing of it was seen in a real Entra ID.
 *
 *     const graph = await startGraph({ pki });
 *     graph.directory.addUser('ann@example.com');
 *     graph.faults.push({ path: /users\/delta/, times: 2, reply: throttled(3) });
 *     ...
 *     await graph.stop();
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphDelta } from './graph-delta.js';
import { GraphDirectory, graphCollections, type GraphCollection } from './graph-directory.js';
import { GraphLogin, type Application } from './graph-login.js';
import { GraphQueries } from './graph-query.js';
import { fail, type Reply } from './graph-reply.js';
import type { Pki } from './pki.js';

export interface Seen {
  readonly server: 'login' | 'graph';
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly authorization: string;
  readonly at: number;
}

/** Instead of an answer: for requests whose path matches, so many times. */
export interface Fault {
  readonly path: RegExp;
  times: number;
  /** `reset`: the connection is cut. */
  readonly reply: Reply | 'reset';
  /** So many matching requests are answered first. */
  after?: number;
}

export interface LocalGraph {
  readonly origin: string;
  readonly loginOrigin: string;
  readonly application: Application;
  readonly directory: GraphDirectory;
  readonly delta: GraphDelta;
  readonly queries: GraphQueries;
  readonly login: GraphLogin;
  readonly faults: Fault[];
  /** Application permissions that an administrator has granted; a token carries those of its time. */
  readonly granted: Set<string>;
  readonly requests: Seen[];
  stop(): Promise<void>;
}

export interface LocalGraphOptions {
  readonly pki: Pki;
  readonly now?: () => number;
  readonly application?: Partial<Application>;
}

export const tenantId = '3b6ab9a1-0c7e-4b7e-9f39-2f1d0c6f1a52';
export const clientId = '8f4c2a70-5d7b-4f0e-9a53-6c1c5f1f7e11';
export const secret = 'the~value.of_a-client~secret';

/** api-reference: the least privileged application permission, and one above it. */
const needed: Readonly<Record<GraphCollection, readonly string[]>> = {
  users: ['User.Read.All', 'Directory.Read.All'],
  groups: ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All'],
  contacts: ['OrgContact.Read.All', 'Directory.Read.All'],
};

/** api-reference/v1.0/resources/{user,group,orgcontact}: of the properties those that matter here; a type has no others. */
const properties: Readonly<Record<GraphCollection, readonly string[]>> = {
  users: ['id', 'mail', 'proxyAddresses', 'userPrincipalName', 'accountEnabled', 'userType', 'department'],
  groups: ['id', 'mail', 'proxyAddresses', 'mailEnabled', 'groupTypes', 'displayName'],
  contacts: ['id', 'mail', 'proxyAddresses', 'displayName'],
};

function unknownProperty(collection: GraphCollection, query: URLSearchParams): string | undefined {
  return query
    .get('$select')
    ?.split(',')
    .find((name) => !properties[collection].includes(name));
}

/** learn.microsoft.com/graph/throttling: 429, mostly with Retry-After. */
export function throttled(retryAfter?: number | string): Reply {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  return fail(429, 'TooManyRequests', 'Too many requests', headers);
}

export const unavailable: Reply = fail(503, 'serviceNotAvailable', 'The service is temporarily unavailable.');

export async function startGraph({
  pki,
  now = Date.now,
  application,
}: LocalGraphOptions): Promise<LocalGraph> {
  const app: Application = { tenantId, clientId, secrets: { [secret]: 'valid' }, ...application };
  const origins = { login: '', graph: '' };
  const directory = new GraphDirectory();
  const granted = new Set(Object.values(needed).map(([least = '']) => least));
  const parts = {
    directory,
    delta: new GraphDelta(directory, () => origins.graph, now),
    queries: new GraphQueries(directory, () => origins.graph),
    login: new GraphLogin(
      app,
      () => origins.login,
      () => origins.graph,
      now,
      () => [...granted],
    ),
    faults: [] as Fault[],
    granted,
    requests: [] as Seen[],
  };
  const serve = (server: Seen['server'], answer: (request: Asked) => Reply): Promise<Server> =>
    listen(pki, listener(server, parts, now, answer));
  const login = await serve('login', ({ method, url, body }) =>
    parts.login.answer(method, url.pathname, new URLSearchParams(body)),
  );
  const graph = await serve('graph', (asked) => answerGraph(parts, asked));
  origins.login = originOf(login);
  origins.graph = originOf(graph);
  return {
    ...parts,
    ...{ origin: origins.graph, loginOrigin: origins.login, application: app },
    stop: async () => {
      await Promise.all([stop(login), stop(graph)]);
    },
  };
}

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Parts = Pick<LocalGraph, 'delta' | 'queries' | 'login' | 'faults' | 'requests'>;

function answerGraph({ delta, queries, login }: Parts, { url, headers }: Asked): Reply {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const roles = login.rolesOf(token);
  if (roles === undefined)
    return fail(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  const [, version, name, action = ''] = url.pathname.split('/');
  const collection = graphCollections.find((each) => each === name);
  if (version !== 'v1.0' || collection === undefined)
    return fail(400, 'BadRequest', `Resource not found for the segment '${name ?? ''}'.`);
  if (!needed[collection].some((permission) => roles.includes(permission)))
    return fail(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  const unknown = unknownProperty(collection, url.searchParams);
  if (unknown !== undefined)
    return fail(
      400,
      'BadRequest',
      `Parsing OData Select and Expand failed: Could not find a property named '${unknown}'.`,
    );
  if (action === 'delta') return delta.answer(collection, url.searchParams);
  if (action === '$count') return queries.count(collection, headers['consistencylevel'] === 'eventual');
  if (action === '') return queries.list(collection, url.searchParams);
  return fail(404, 'Request_ResourceNotFound', 'Resource does not exist.');
}

function listener(
  server: Seen['server'],
  { faults, requests }: Parts,
  now: () => number,
  answer: (asked: Asked) => Reply,
): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ server, method, url, authorization: headers.authorization ?? '', at: now() });
      const fault = nextFault(faults, url);
      if (fault === 'reset') return void request.socket.destroy();
      const body = Buffer.concat(chunks).toString();
      const reply = fault ?? answer({ method, url: new URL(url, 'https://localhost'), headers, body });
      const isText = typeof reply.body === 'string';
      response.writeHead(reply.status, {
        'request-id': 'e4afd427-61b1-4e53-9dd9-8d992d508b08',
        'content-type': isText ? 'text/plain' : 'application/json',
        ...reply.headers,
      });
      response.end(isText ? reply.body : JSON.stringify(reply.body ?? {}));
    });
  };
}

function nextFault(faults: readonly Fault[], url: string): Fault['reply'] | undefined {
  const fault = faults.find(({ path, times }) => times > 0 && path.test(url));
  if (fault === undefined) return undefined;
  if ((fault.after ?? 0) > 0) {
    fault.after = (fault.after ?? 0) - 1;
    return undefined;
  }
  fault.times -= 1;
  return fault.reply;
}

async function listen(pki: Pki, handle: RequestListener): Promise<Server> {
  const { cert, key } = pki.certificates.server;
  const server = createServer({ cert, key }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function originOf(server: Server): string {
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
