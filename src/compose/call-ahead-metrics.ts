/** The metrics of asking ahead, as the edge leaves them in `callahead.db`. */
import { readFigures } from '../callahead/figures.js';
import { counter, gauge, type Metrics } from '../telemetry/metrics.js';

/** Returns what brings them up to date. */
export function callAheadMetrics(metrics: Metrics, path: string): () => void {
  const probes = counter(
    metrics,
    'rollcall_callahead_probes_total',
    'Mail servers asked, by what came of it',
    ['source', 'outcome'],
  );
  const kept = gauge(metrics, 'rollcall_callahead_recipients', 'Answers of mail servers that are kept', [
    'source',
    'answer',
  ]);
  const blind = gauge(
    metrics,
    'rollcall_callahead_blind_domains',
    'Domains for which a mail server takes every recipient, and so tells nothing',
    ['source'],
  );
  return () => {
    const figures = readFigures(path);
    for (const metric of [probes, kept, blind]) metric.reset();
    for (const { count, ...labels } of figures.probes) probes.inc(labels, count);
    for (const { count, ...labels } of figures.kept) kept.set(labels, count);
    for (const { count, ...labels } of figures.blind) blind.set(labels, count);
  };
}
