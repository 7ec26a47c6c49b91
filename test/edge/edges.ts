/** Edges on ephemeral loopback ports, drained at the end of each test. */
import { afterEach } from 'vitest';
import type { ListenAddress } from '../../src/edge/bind.js';
import type { Edge } from '../../src/edge/listener.js';
import { createHttpEdge, type HttpEdgeOptions } from '../../src/edge/http/http-edge.js';
import { createMilterEdge, type MilterEdgeOptions } from '../../src/edge/milter/milter-edge.js';
import { createPolicyEdge, type PolicyEdgeOptions } from '../../src/edge/postfix/policy-edge.js';
import { createProxyEdge, type ProxyEdge, type ProxyEdgeOptions } from '../../src/edge/proxy/proxy-edge.js';
import {
  createReadsocketEdge,
  type ReadsocketEdgeOptions,
} from '../../src/edge/readsocket/readsocket-edge.js';
import { createSmtpEdge, type SmtpEdgeOptions } from '../../src/edge/smtp/smtp-edge.js';
import { createSocketmapEdge, type SocketmapEdgeOptions } from '../../src/edge/socketmap/socketmap-edge.js';
import { createTcpEdge, type TcpEdgeOptions } from '../../src/edge/tcp-table/tcp-edge.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { decideByName } from './fake-decide.js';

const running: Edge[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((edge) => edge.drain()));
});

const common = {
  listen: [{ host: '127.0.0.1', port: 0 }],
  decide: decideByName,
  witness: () => undefined,
  log: silentLogger(),
  drainTimeoutMs: 50,
} as const;

/** As `decideByName`: example.com is ours. */
const serves = (domain: string): boolean => domain.toLowerCase() === 'example.com';

export interface Running {
  readonly edge: Edge;
  readonly address: ListenAddress;
}

export async function runSmtp(options: Partial<SmtpEdgeOptions> = {}): Promise<Running> {
  return start(createSmtpEdge({ ...common, hostname: 'edge.example', ...options }));
}

export async function runPolicy(options: Partial<PolicyEdgeOptions> = {}): Promise<Running> {
  return start(createPolicyEdge({ ...common, ...options }));
}

export async function runMilter(options: Partial<MilterEdgeOptions> = {}): Promise<Running> {
  return start(createMilterEdge({ ...common, ...options }));
}

export async function runProxy(
  options: Partial<ProxyEdgeOptions> & Pick<ProxyEdgeOptions, 'nextHops'>,
): Promise<Running & { readonly edge: ProxyEdge }> {
  const edge = createProxyEdge({ ...common, hostname: 'edge.example', ...options });
  return { ...(await start(edge)), edge };
}

export async function runSocketmap(options: Partial<SocketmapEdgeOptions> = {}): Promise<Running> {
  return start(createSocketmapEdge({ ...common, serves, ...options }));
}

export async function runTcp(options: Partial<TcpEdgeOptions> = {}): Promise<Running> {
  return start(createTcpEdge({ ...common, serves, ...options }));
}

export async function runReadsocket(options: Partial<ReadsocketEdgeOptions> = {}): Promise<Running> {
  return start(createReadsocketEdge({ ...common, ...options }));
}

export async function runHttp(options: Partial<HttpEdgeOptions> = {}): Promise<Running> {
  return start(createHttpEdge({ ...common, ...options }));
}

async function start(edge: Edge): Promise<Running> {
  const [address] = await edge.listen();
  if (address === undefined) throw new Error('no address was bound');
  running.push(edge);
  return { edge, address };
}
