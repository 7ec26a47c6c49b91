/**
 * The routes in one application: who asks, what is logged, how failures are told.
 *
 * Every request has an id of ours, in the log and in `X-Request-Id`. The log has routes, not paths: paths hold addresses.
 * The Authorization header is never logged.
 */
import { randomUUID } from 'node:crypto';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { authenticate } from './auth.js';
import type { DirectoryReader } from './directory.js';
import { bodyOf, failureOf } from './errors.js';
import { addHealthRoutes } from './health.js';
import { addListRoutes } from './lists.js';
import type { HttpServerOptions } from './options.js';
import { addRecipientRoutes } from './recipients.js';
import { addRunRoutes } from './runs.js';

const bodyLimit = 64 * 1024;
const maxParamLength = 4096; // an address of 1,000 characters, percent-encoded

export async function createApp(
  options: HttpServerOptions,
  directory: DirectoryReader,
): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength },
    logger: false,
  });
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });
  app.addHook('onResponse', async (request, reply) => logRequest(options, request, reply));
  app.setErrorHandler((error, request, reply) => sendFailure(options, directory, error, request, reply));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(bodyOf('not-found', 'there is nothing here', 'The routes are in docs/http.md.')),
  );
  addHealthRoutes(app, options, directory);
  await app.register(async (v1) => {
    v1.addHook('onRequest', async (request, reply) => {
      request.caller = authenticate(directory.db(), request, reply);
    });
    addRunRoutes(v1, options, directory);
    addRecipientRoutes(v1, options, directory);
    await v1.register((lists, _, done) => {
      addListRoutes(lists, options);
      done();
    });
  });
  await app.ready();
  return app;
}

function sendFailure(
  options: HttpServerOptions,
  directory: DirectoryReader,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, body, isOurs } = failureOf(error, request.id);
  if (isOurs) {
    options.log.error({ requestId: request.id, err: error }, 'http request failed');
    directory.reset();
  }
  return reply.code(status).send(body);
}

function logRequest({ log }: HttpServerOptions, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'none';
  const isProbe = route === '/healthz' || route === '/readyz' || route === '/metrics';
  log[isProbe ? 'debug' : 'info'](
    {
      requestId: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(request.caller === null ? {} : { tenant: request.caller.tenant, by: request.caller.name }),
      client: request.raw.socket.remoteAddress ?? 'unix',
    },
    'http request',
  );
}
