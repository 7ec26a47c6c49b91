/** From the configuration to the edges: which doors there are, what bounds them, and the certificates they show. */
import { readFileSync } from 'node:fs';
import type { PolicyEdgeConfig, SmtpEdgeConfig } from '../config/edge.js';
import type { Config } from '../config/schema.js';
import { describeAddress } from '../edge/bind.js';
import type { Edge } from '../edge/listener.js';
import { createPolicyEdge } from '../edge/postfix/policy-edge.js';
import { createSmtpEdge, type TlsMaterial } from '../edge/smtp/smtp-edge.js';
import { messageOf, RollcallError } from '../errors.js';
import type { Decide, Witness } from '../policy/verdict.js';
import type { Logger } from '../telemetry/log.js';
import type { MailLog } from '../telemetry/mail-log.js';
import type { Door } from './lifecycle.js';
import { optionsOf } from './reload.js';

/** What every edge is given. */
export interface EdgeDeps {
  readonly decide: Decide;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog: MailLog;
}

export interface Edges {
  /** Opens every door; where they are. Throws `config`, with all doors closed again. */
  listen(): Promise<readonly Door[]>;
  drain(): Promise<void>;
  /** Takes over what may change while sessions are open: certificates. Throws `config`. */
  reload(config: Config): void;
}

export function createEdges(config: Config, deps: EdgeDeps): Edges {
  const smtp = config.edges.smtp && createSmtpEdge({ ...smtpOptions(config.edges.smtp), ...deps });
  const policy = config.edges.policy && createPolicyEdge({ ...policyOptions(config.edges.policy), ...deps });
  const edges = [smtp, policy].filter((edge): edge is Edge & typeof smtp => edge !== undefined);
  const drain = async (): Promise<void> => {
    await Promise.all(edges.map((edge) => edge.drain()));
  };
  return {
    drain,
    async listen() {
      const doors: Door[] = [];
      try {
        for (const edge of edges) {
          const bound = await edge.listen();
          doors.push(...bound.map((address) => ({ name: edge.name, address: describeAddress(address) })));
        }
        return doors;
      } catch (error) {
        await drain();
        throw error;
      }
    },
    reload(next) {
      const tls = tlsOf(next.edges.smtp);
      if (tls !== undefined && config.edges.smtp?.tls !== undefined) smtp?.setTls(tls);
    },
  };
}

/** What of the edges is fixed while the process runs. */
export function fixedEdgeOptions(config: Config): Record<string, unknown> {
  const { tls, ...smtp } = config.edges.smtp ?? {};
  return {
    ...optionsOf('edges.smtp', smtp),
    'edges.smtp.tls': tls !== undefined,
    ...optionsOf('edges.policy', config.edges.policy),
  };
}

function smtpOptions(smtp: SmtpEdgeConfig) {
  const tls = tlsOf(smtp);
  return {
    listen: smtp.listen,
    greetingDelayMs: smtp.greetingDelay,
    maxConnections: smtp.maxConnections,
    maxConnectionsPerClient: smtp.maxConnectionsPerClient,
    idleTimeoutMs: smtp.idleTimeout,
    maxRecipients: smtp.maxRecipients,
    maxRejected: smtp.maxRejected,
    drainTimeoutMs: smtp.drainTimeout,
    ...(smtp.hostname !== undefined && { hostname: smtp.hostname }),
    ...(tls !== undefined && { tls }),
  };
}

function policyOptions(policy: PolicyEdgeConfig) {
  return {
    listen: policy.listen,
    maxConnections: policy.maxConnections,
    idleTimeoutMs: policy.idleTimeout,
    requestTimeoutMs: policy.requestTimeout,
    maxRequestBytes: policy.maxRequestBytes,
    drainTimeoutMs: policy.drainTimeout,
  };
}

function tlsOf(smtp: SmtpEdgeConfig | undefined): TlsMaterial | undefined {
  if (smtp?.tls === undefined) return undefined;
  const { cert, key } = smtp.tls;
  return { cert: readPem(cert, 'edges.smtp.tls.cert'), key: readPem(key, 'edges.smtp.tls.key') };
}

function readPem(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `${option}: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
