/** The metrics of live look-ups, as control counts them. */
import type { LookupFigures } from '../live/lookups.js';
import { counter, type Metrics } from '../telemetry/metrics.js';

/** Returns what brings them up to date. */
export function liveMetrics(metrics: Metrics, figures: () => readonly LookupFigures[]): () => void {
  const questions = counter(
    metrics,
    'rollcall_live_questions_total',
    'Questions about recipients that no list knows, by what came back; limited: more than the directory may be asked',
    ['source', 'answer'],
  );
  const lookups = counter(
    metrics,
    'rollcall_live_lookups_total',
    'Searches for one recipient that a directory was sent',
    ['source'],
  );
  return () => {
    for (const metric of [questions, lookups]) metric.reset();
    for (const { source, answers, finds } of figures()) {
      lookups.inc({ source }, finds);
      for (const [answer, count] of Object.entries(answers)) questions.inc({ source, answer }, count);
    }
  };
}
