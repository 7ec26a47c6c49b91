/**
 * The edge process: the doors to mail servers. Reads lookup.db, writes traffic.db, needs nothing else: it answers while
 * control is stopped, and also before there is any list (then it defers). While control runs, it asks control about whom no
 * list knows.
 *
 * Promises: resolves with 0 after a stop in which every session got its answers and the traffic was written; rejects with
 * `config` when the configuration is wrong or a door cannot be opened.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openCallAhead } from './compose/call-ahead.js';
import { openConfirmOnMiss } from './compose/confirm-on-miss.js';
import { createEdges, fixedEdgeOptions } from './compose/edges.js';
import { loadForStart } from './compose/last-config.js';
import { listenForSignals } from './compose/lifecycle.js';
import { logWarnings, openLogs } from './compose/logs.js';
import { createReloader, optionsOf } from './compose/reload.js';
import { openVerdicts } from './compose/verdicts.js';
import { messageOf } from './errors.js';
import { createWitness } from './edge/witness.js';
import { firstOf } from './policy/miss.js';
import { threadSink } from './traffic/sink.js';
import type { Logger } from './telemetry/log.js';
import { createTraffic, type Traffic } from './traffic/traffic.js';

export async function runEdge({ configPath }: { readonly configPath: string }): Promise<number> {
  const { config, warnings, refused } = loadForStart(configPath);
  const lifecycle = listenForSignals();
  const { log, mailLog, reload: reloadLogs, reopen } = openLogs(config, 'edge');
  if (refused !== undefined)
    log.error({ err: refused }, 'configuration refused: running with the last good one');
  logWarnings(log, warnings);
  mkdirSync(config.dataDir, { recursive: true, mode: 0o750 });

  const verdicts = openVerdicts(config, log);
  const miss = openConfirmOnMiss({ config, domains: verdicts.domains, log, look: false });
  const callAhead = openCallAhead({ config, domains: verdicts.domains, log, write: true });
  const traffic = createTraffic({ sink: threadSink({ path: join(config.dataDir, 'traffic.db') }), log });
  const witness = createWitness({ mailLog, record: (event) => traffic.record(event) });
  try {
    const edges = await createEdges(config, {
      decide: verdicts.decide,
      confirm: firstOf(miss.confirm, callAhead.confirm),
      serves: verdicts.serves,
      witness,
      log,
      mailLog,
    });
    const reloader = createReloader({
      configPath,
      config,
      log,
      fixed: (c) => ({
        dataDir: c.dataDir,
        ...fixedEdgeOptions(c),
        ...optionsOf('log', { ...c.log, level: '' }),
      }),
      apply(next) {
        edges.reload(next);
        callAhead.reload(next);
        miss.reload(next);
        verdicts.reload(next);
        reloadLogs(next);
      },
    });
    const doors = await edges.listen();
    if (doors.length === 0)
      log.warn('no edge is configured: nothing to answer; see edges in docs/configuration.md');
    lifecycle.onReload(() => {
      reopen();
      reloader.reload();
    });
    lifecycle.ready({ type: 'ready', process: 'edge', pid: process.pid, doors });

    log.info({ why: await lifecycle.stopped }, 'stopping');
    await edges.drain();
  } finally {
    miss.close();
    callAhead.close();
    await closeTraffic(traffic, log);
    verdicts.close();
    lifecycle.close();
  }
  log.info('stopped');
  return 0;
}

const closeTrafficMs = 5000;

/** Counts are not worth waiting for: a disk that does not answer must not keep the process from ending. */
async function closeTraffic(traffic: Traffic, log: Logger): Promise<void> {
  try {
    await Promise.race([traffic.close(), setTimeout(closeTrafficMs, undefined, { ref: false })]);
  } catch (error) {
    log.warn({ err: messageOf(error) }, 'traffic not closed');
  }
}
