/** What a door to mail servers is made from, and what comes of it. */
import { readFileSync } from 'node:fs';
import type { EdgeConfig } from '../../config/edges/edges.js';
import type { Config } from '../../config/schema.js';
import type { AskingEdgeOptions, EdgeOptions } from '../../edge/edge-options.js';
import type { Edge } from '../../edge/listener.js';
import { messageOf, RollcallError } from '../../errors.js';
import type { Confirm, Decide, Serves, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import type { MailLog } from '../../telemetry/mail-log.js';

/** What every edge is given. */
export interface EdgeDeps {
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly serves: Serves;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog: MailLog;
}

export interface BuiltEdge {
  readonly edge: Edge;
  /** Takes over what may change while sessions are open: certificates. Throws `config`. */
  reload?(config: Config): void;
}

/** Makes the door when its section is there. Throws `config`. */
export type BuildEdge = (config: Config, deps: EdgeDeps) => BuiltEdge | undefined;

/** What all sections have. */
type Section = Pick<EdgeConfig<'smtp'>, 'listen' | 'maxConnections' | 'idleTimeout' | 'drainTimeout'>;

export function edgeOptions(section: Section, deps: EdgeDeps): EdgeDeps & EdgeOptions {
  return {
    ...deps,
    listen: section.listen,
    maxConnections: section.maxConnections,
    idleTimeoutMs: section.idleTimeout,
    drainTimeoutMs: section.drainTimeout,
  };
}

/** Of a protocol of requests and replies. */
export function askingOptions(
  section: Section & Pick<EdgeConfig<'policy'>, 'requestTimeout'>,
  deps: EdgeDeps,
): EdgeDeps & AskingEdgeOptions {
  return { ...edgeOptions(section, deps), requestTimeoutMs: section.requestTimeout };
}

export function readPem(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `${option}: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
