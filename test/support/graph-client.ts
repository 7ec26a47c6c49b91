/** A Graph source that reads the local Graph, with a clock that does not wait. */
import { createGraphSource } from '../../src/source/graph/graph-source.js';
import type { Clock, GraphSourceOptions } from '../../src/source/graph/options.js';
import type { Change, ChangesReport, Problem, Source } from '../../src/source/source.js';
import { secret, type LocalGraph } from './graph-server.js';
import type { Pki } from './pki.js';

/** Time passes only when somebody sleeps. */
export class FakeClock implements Clock {
  time = Date.now();
  readonly slept: number[] = [];
  readonly now = (): number => this.time;
  readonly random = (): number => 0.5;
  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.time += ms;
    return Promise.resolve();
  };
}

export function graphOptions(
  graph: LocalGraph,
  pki: Pki,
  changes: Partial<GraphSourceOptions> = {},
): GraphSourceOptions {
  return {
    name: 'entra',
    tenantId: graph.application.tenantId,
    clientId: graph.application.clientId,
    credential: { kind: 'secret', secret },
    login: graph.loginOrigin,
    graph: graph.origin,
    include: ['users', 'groups', 'contacts'],
    userPrincipalName: false,
    respectDisabled: false,
    proxy: 'none',
    ca: pki.ca,
    timeoutMs: 5000,
    ...changes,
  };
}

export function graphSource(
  graph: LocalGraph,
  pki: Pki,
  changes: Partial<GraphSourceOptions> = {},
  clock: Clock = new FakeClock(),
): Source {
  return createGraphSource(graphOptions(graph, pki, changes), clock);
}

export interface AllChanges {
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  readonly report: ChangesReport;
  /** `entry a@b, c@d` or `gone ID`, sorted. */
  readonly told: readonly string[];
}

/** Reads the changes to their end and keeps everything that was said. */
export async function readChanges(source: Source, cursor: string): Promise<AllChanges> {
  const changes: Change[] = [];
  const problems: Problem[] = [];
  const context = {
    signal: new AbortController().signal,
    problem: (problem: Problem) => void problems.push(problem),
    progress: () => undefined,
  };
  const reading = source.changes?.(context, cursor);
  if (reading === undefined) throw new Error('the source tells no changes');
  for (;;) {
    const step = await reading.next();
    if (step.done === true) return { changes, problems, report: step.value, told: changes.map(text).sort() };
    changes.push(...step.value);
  }
}

function text(change: Change): string {
  if (change.kind === 'gone') return `gone ${change.id}`;
  if (change.kind === 'listing') return 'a listing';
  return `entry ${change.entry.addresses.map(({ value }) => value).join(', ')}`;
}
