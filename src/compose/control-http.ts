/** From the parts of control to its HTTP server. */
import { join } from 'node:path';
import { cachePath } from '../callahead/cache.js';
import type { Config } from '../config/schema.js';
import type { HttpServer } from '../http/options.js';
import { readinessOf } from '../http/readiness.js';
import { createHttpServer } from '../http/server.js';
import type { Confirm } from '../policy/verdict.js';
import { directoryPath } from '../store/sqlite/open.js';
import type { Logger } from '../telemetry/log.js';
import { openTrafficReader } from '../traffic/reader.js';
import { createControlMetrics } from './control-metrics.js';
import type { Live } from './live.js';
import type { Runner } from './runner.js';
import type { Verdicts } from './verdicts.js';

export interface HttpParts {
  /** What is in force now. */
  readonly config: () => Config;
  readonly log: Logger;
  readonly verdicts: Verdicts;
  readonly live: Live;
  readonly run: Runner['run'];
  readonly confirm: Confirm;
}

export function createControlHttp(
  http: NonNullable<Config['http']>,
  { config, log, verdicts, live, run, confirm }: HttpParts,
): HttpServer {
  const { dataDir } = config();
  const directoryFile = directoryPath(dataDir);
  return createHttpServer({
    listen: http.listen,
    uploadLimitBytes: http.uploadLimit,
    requestTimeoutMs: http.requestTimeout,
    spoolDir: join(dataDir, 'spool'),
    directoryFile,
    lookup: verdicts.lookup,
    domains: verdicts.domains,
    decide: verdicts.decide,
    confirm,
    jobs: { run },
    sources: () =>
      Object.entries(config().sources).map(([name, { tenant, kind }]) => ({ name, tenant, kind })),
    readiness: () => readinessOf(verdicts.domains(), verdicts.lookup, Date.now()),
    metrics: createControlMetrics({
      directoryFile,
      lookupGeneration: () => verdicts.lookup.generation(),
      traffic: openTrafficReader(join(dataDir, 'traffic.db')),
      callAheadFile: cachePath(dataDir),
      live: live.figures,
    }),
    log,
  });
}
