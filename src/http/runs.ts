/** `POST /v1/sources/S/sync` and `/v1/runs…`: syncs, history, and what a person decides about a run. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { changesOf, heldOf, problemsOf } from '../store/sqlite/claims.js';
import { getRun, listRuns } from '../store/sqlite/run-records.js';
import type { RunRecord, TokenRecord } from '../store/store.js';
import { detailRun, summariseRun } from '../store/summary.js';
import { requireRole } from './auth.js';
import type { DirectoryReader } from './directory.js';
import { errorOfRun, HttpError, statusOfRun } from './errors.js';
import { readInput, runNumber } from './input.js';
import type { HttpServerOptions, HttpSource } from './options.js';

export interface SourceParams {
  readonly source: string;
}

interface RunParams {
  readonly run: string;
}

const [defaultRuns, mostRuns, rowsShown] = [50, 1000, 100];

export function addRunRoutes(
  app: FastifyInstance,
  options: HttpServerOptions,
  directory: DirectoryReader,
): void {
  app.post<{ Params: SourceParams }>('/v1/sources/:source/sync', async (request, reply) => {
    const caller = requireRole(request, reply, 'upload');
    const { name } = sourceOf(options, caller, request.params.source);
    const { dryRun = false } = readInput('sync', request.body);
    return sendRun(
      reply,
      await options.jobs.run({ kind: 'sync', source: name, dryRun, actor: actorOf(caller) }),
    );
  });
  app.get('/v1/runs', (request, reply) => {
    const { tenant } = requireRole(request, reply, 'read');
    const { source, limit, before } = readInput('runs', request.query);
    const size = Math.min(Math.max(Number(limit ?? defaultRuns), 1), mostRuns);
    const filter = { tenant, source, limit: size, before: before === undefined ? undefined : Number(before) };
    const runs = listRuns(directory.db(), filter);
    const next = runs.length < size ? null : (runs.at(-1)?.run ?? null);
    return reply.send({ runs: runs.map(detailRun), next });
  });
  app.get<{ Params: RunParams }>('/v1/runs/:run', (request, reply) => {
    const caller = requireRole(request, reply, 'read');
    return reply.send(showRun(directory, ownRun(directory, caller, request.params.run)));
  });
  addSettleRoutes(app, options, directory);
}

function addSettleRoutes(app: FastifyInstance, options: HttpServerOptions, directory: DirectoryReader): void {
  app.post<{ Params: RunParams }>('/v1/runs/:run/approve', async (request, reply) => {
    const caller = requireRole(request, reply, 'admin');
    const { run } = ownRun(directory, caller, request.params.run);
    const { hash } = readInput('approve', request.body);
    const by = { actor: actorOf(caller), tenant: caller.tenant };
    return sendRun(reply, await options.jobs.run({ kind: 'approve', run, hash, ...by }));
  });
  app.post<{ Params: RunParams }>('/v1/runs/:run/discard', async (request, reply) => {
    const caller = requireRole(request, reply, 'admin');
    const { run } = ownRun(directory, caller, request.params.run);
    readInput('nothing', request.body);
    const by = { actor: actorOf(caller), tenant: caller.tenant };
    // the record is that of the run whose held part is gone: it is done, whatever its state says
    return reply.send(detailRun(await options.jobs.run({ kind: 'discard', run, ...by })));
  });
  app.post<{ Params: RunParams }>('/v1/runs/:run/rollback', async (request, reply) => {
    const caller = requireRole(request, reply, 'admin');
    const { run } = ownRun(directory, caller, request.params.run);
    readInput('nothing', request.body);
    const by = { actor: actorOf(caller), tenant: caller.tenant };
    return sendRun(reply, await options.jobs.run({ kind: 'rollback', run, ...by }));
  });
}

function actorOf(caller: TokenRecord): string {
  return `token:${caller.name}`;
}

/** The source of that name, if it is the caller's tenant's. Throws 404. */
export function sourceOf(options: HttpServerOptions, caller: TokenRecord, name: string): HttpSource {
  const source = options.sources().find((known) => known.name === name && known.tenant === caller.tenant);
  if (source === undefined)
    throw new HttpError(404, 'not-found', `there is no source named ${name.slice(0, 80)}`);
  return source;
}

function ownRun(directory: DirectoryReader, caller: TokenRecord, number: string): RunRecord {
  const run = runNumber(number);
  const record = getRun(directory.db(), run, caller.tenant);
  if (record === undefined) throw new HttpError(404, 'not-found', `there is no run ${run}`);
  return record;
}

function showRun(directory: DirectoryReader, record: RunRecord): object {
  const db = directory.db();
  const changes = changesOf(db, record.run, rowsShown).map(({ op, key, object, attribute }) => ({
    op,
    key,
    object,
    attribute,
  }));
  return {
    ...detailRun(record),
    changes,
    held: heldOf(db, record.run, rowsShown),
    problems: problemsOf(db, record.run, rowsShown),
  };
}

/** A run that was asked for, with the status that says how it ended, and the error when it did not do it. */
export function sendRun(reply: FastifyReply, record: RunRecord): FastifyReply {
  return reply.code(statusOfRun(record)).send({ ...summariseRun(record), ...errorOfRun(record) });
}
