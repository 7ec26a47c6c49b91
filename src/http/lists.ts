/**
 * `PUT /v1/sources/S/list`: a list comes in over HTTP.
 *
 * Promises: bounded in size and number; a body that is too large, or breaks off, changes nothing. The file is deleted when
 * its run has ended.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RunRecord, TokenRecord } from '../store/store.js';
import { requireRole } from './auth.js';
import { HttpError } from './errors.js';
import { isSet, readInput } from './input.js';
import type { HttpServerOptions } from './options.js';
import { sendRun, sourceOf, type SourceParams } from './runs.js';
import { spool, TooLargeError, type Spooled } from './spool.js';

const uploadsPerTenant = 2;

export function addListRoutes(app: FastifyInstance, options: HttpServerOptions): void {
  const slots = createSlots(uploadsPerTenant);
  // the body is read by the handler, as a stream
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.put<{ Params: SourceParams }>('/v1/sources/:source/list', async (request, reply) => {
    const caller = requireRole(request, reply, 'upload');
    const source = sourceOf(options, caller, request.params.source);
    const { dryRun } = readInput('upload', request.query);
    refuseOtherBodies(request, options.uploadLimitBytes);
    const release = slots.take(caller.tenant);
    let record: RunRecord;
    try {
      record = await upload(options, request, { caller, source: source.name, dryRun: isSet(dryRun) });
    } finally {
      release();
    }
    return sendRun(reply, record);
  });
}

interface Upload {
  readonly caller: TokenRecord;
  readonly source: string;
  readonly dryRun: boolean;
}

async function upload(
  options: HttpServerOptions,
  request: FastifyRequest,
  { caller, source, dryRun }: Upload,
): Promise<RunRecord> {
  const spooled = await receive(options, request);
  try {
    return await options.jobs.run({
      kind: 'upload',
      source,
      dryRun,
      actor: `token:${caller.name}`,
      upload: { path: spooled.path, label: 'upload over HTTP' },
    });
  } finally {
    await spooled.remove();
  }
}

/** The body in a file. What is left of a refused body is read and dropped, so that the client gets to see why. */
async function receive(options: HttpServerOptions, { raw }: FastifyRequest): Promise<Spooled> {
  try {
    const spooled = await spool(raw, { folder: options.spoolDir, limitBytes: options.uploadLimitBytes });
    if (raw.complete) return spooled;
    await spooled.remove();
    throw new HttpError(400, 'usage', 'the list broke off; nothing was changed');
  } catch (error) {
    raw.resume();
    throw error;
  }
}

const listTypes = ['text/csv', 'text/plain', 'application/csv', 'application/octet-stream'];

function refuseOtherBodies({ headers }: FastifyRequest, limitBytes: number): void {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  // `curl -d @file` says it is a form, and has taken the line ends out
  if (type !== '' && !listTypes.includes(type.trim())) {
    throw new HttpError(
      415,
      'usage',
      `a list is text/csv, not ${type.slice(0, 80)}`,
      'With curl: `curl -T list.csv …`, or `--data-binary @list.csv -H "Content-Type: text/csv"`.',
    );
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new HttpError(
      415,
      'usage',
      `content encoding ${encoding.slice(0, 40)} is not understood`,
      'Send the list as it is.',
    );
  }
  if (Number(headers['content-length'] ?? 0) > limitBytes) throw new TooLargeError(limitBytes);
}

/** At most so many at a time of each tenant. */
function createSlots(limit: number): { take(tenant: string): () => void } {
  const taken = new Map<string, number>();
  const change = (tenant: string, by: number): void => {
    const now = (taken.get(tenant) ?? 0) + by;
    if (now === 0) taken.delete(tenant);
    else taken.set(tenant, now);
  };
  return {
    take: (tenant) => {
      if ((taken.get(tenant) ?? 0) >= limit) {
        throw new HttpError(
          429,
          'conflict',
          `${limit} uploads are under way already`,
          'Try again when one has ended.',
        );
      }
      change(tenant, 1);
      return () => change(tenant, -1);
    },
  };
}
