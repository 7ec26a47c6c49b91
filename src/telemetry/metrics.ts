/**
 * Metrics, in the Prometheus text format. A metric is declared where it is counted, with its help text; this file only
 * keeps the registry and makes declaring the same metric twice harmless: two parts may share one.
 *
 * Refuses unbounded labels by convention: a label is an edge, a reason, an action, a source; never an address.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Metrics = Registry;

/** A registry, with the figures of the process itself (memory, CPU, event loop) unless `process` is false. */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  return registry;
}

export function counter<T extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly T[] = [],
): Counter<T> {
  const known = metrics.getSingleMetric(name);
  if (known instanceof Counter) return known;
  return new Counter({ name, help, labelNames: [...labelNames], registers: [metrics] });
}

export function gauge<T extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly T[] = [],
): Gauge<T> {
  const known = metrics.getSingleMetric(name);
  if (known instanceof Gauge) return known;
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [metrics] });
}

/** `buckets` in seconds. */
export function histogram<T extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly T[],
  buckets: readonly number[],
): Histogram<T> {
  const known = metrics.getSingleMetric(name);
  if (known instanceof Histogram) return known;
  return new Histogram({
    name,
    help,
    labelNames: [...labelNames],
    buckets: [...buckets],
    registers: [metrics],
  });
}
