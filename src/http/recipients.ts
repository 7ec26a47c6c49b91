/** `GET /v1/recipients/ADDRESS`: the verdict and what stands behind it, as `rollcall check` gives it. */
import type { FastifyInstance } from 'fastify';
import { explainAsking } from '../policy/explain.js';
import type { Db } from '../store/sqlite/open.js';
import { requireRole } from './auth.js';
import type { DirectoryReader } from './directory.js';
import { readInput } from './input.js';
import type { HttpServerOptions } from './options.js';

export function addRecipientRoutes(
  app: FastifyInstance,
  options: HttpServerOptions,
  directory: DirectoryReader,
): void {
  app.get<{ Params: { address: string } }>('/v1/recipients/:address', async (request, reply) => {
    const { tenant } = requireRole(request, reply, 'read');
    const { from, client } = readInput('recipient', request.query);
    const { decide, confirm, lookup } = options;
    const now = (options.now ?? Date.now)();
    return reply.send(
      await explainAsking(
        { decide, confirm, lookup, domains: options.domains(), db: ifReadable(directory), now, tenant },
        { recipient: request.params.address, form: 'smtp', sender: from, client, edge: 'http' },
      ),
    );
  });
}

/** A verdict needs no directory; without it there are only no claims to show. */
function ifReadable(directory: DirectoryReader): Db | undefined {
  try {
    return directory.db();
  } catch {
    return undefined;
  }
}
