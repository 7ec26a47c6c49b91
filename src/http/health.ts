/**
 * `/healthz`, `/readyz`, `/metrics`: for supervisors, load balancers and Prometheus.
 *
 * The first two need no token. Which domains there are is told only to callers on this machine and, for its own tenant,
 * to a token. Metrics name sources and domains of every tenant: on this machine they need no token, elsewhere a token
 * whose tenant is the only one.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate, isLocalCaller } from './auth.js';
import type { DirectoryReader } from './directory.js';
import { HttpError } from './errors.js';
import type { DomainReadiness, HttpServerOptions } from './options.js';

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

export function addHealthRoutes(
  app: FastifyInstance,
  options: HttpServerOptions,
  directory: DirectoryReader,
): void {
  app.get('/healthz', (_request, reply) => reply.send({ status: 'alive' }));
  app.get('/readyz', (request, reply) => {
    const { ready, domains } = options.readiness();
    const shown = domains.filter(visibleTo(directory, request, reply));
    const reasons = shown.filter((domain) => !domain.ready).map(({ domain, state }) => `${domain}: ${state}`);
    return reply.code(ready ? 200 : 503).send({ ready, reasons, domains: shown });
  });
  app.get('/metrics', async (request, reply) => {
    if (!isLocalCaller(request)) requireOnlyTenant(options, directory, request, reply);
    return reply.type(prometheusText).send(await options.metrics());
  });
}

function visibleTo(
  directory: DirectoryReader,
  request: FastifyRequest,
  reply: FastifyReply,
): (domain: DomainReadiness) => boolean {
  if (request.headers.authorization !== undefined) {
    const caller = authenticate(directory.db(), request, reply);
    return ({ tenant }) => tenant === caller.tenant;
  }
  const isLocal = isLocalCaller(request);
  return () => isLocal;
}

function requireOnlyTenant(
  options: HttpServerOptions,
  directory: DirectoryReader,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const caller = authenticate(directory.db(), request, reply);
  if (options.domains().all.every(({ tenant }) => tenant === caller.tenant)) return;
  throw new HttpError(
    403,
    'unauthorized',
    'metrics tell of every tenant',
    'Scrape them from this machine, where no token is needed.',
  );
}
