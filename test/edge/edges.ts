/** Edges as an empty section of the configuration makes them, on ephemeral loopback ports, drained at the end of each test. */
import { afterEach } from 'vitest';
import { askingOptions, type EdgeDeps } from '../../src/compose/doors/door.js';
import { proxyOptions } from '../../src/compose/doors/proxy.js';
import { smtpServerOptions } from '../../src/compose/doors/smtp-server.js';
import { httpEdgeSchema } from '../../src/config/edges/http.js';
import { milterEdgeSchema } from '../../src/config/edges/milter.js';
import { policyEdgeSchema } from '../../src/config/edges/policy.js';
import { proxyEdgeSchema } from '../../src/config/edges/proxy.js';
import { readsocketEdgeSchema } from '../../src/config/edges/readsocket.js';
import { smtpEdgeSchema } from '../../src/config/edges/smtp.js';
import { socketmapEdgeSchema } from '../../src/config/edges/socketmap.js';
import { tcpEdgeSchema } from '../../src/config/edges/tcp.js';
import type { ListenAddress } from '../../src/edge/bind.js';
import type { AskingEdgeOptions, EdgeOptions } from '../../src/edge/edge-options.js';
import { createHttpEdge } from '../../src/edge/http/http-edge.js';
import type { Edge } from '../../src/edge/listener.js';
import { createMilterEdge } from '../../src/edge/milter/milter-edge.js';
import { createPolicyEdge, type PolicyEdgeOptions } from '../../src/edge/postfix/policy-edge.js';
import type { HopTimeouts } from '../../src/edge/proxy/hop.js';
import { createProxyEdge, type ProxyEdge, type ProxyEdgeOptions } from '../../src/edge/proxy/proxy-edge.js';
import {
  createReadsocketEdge,
  type ReadsocketEdgeOptions,
} from '../../src/edge/readsocket/readsocket-edge.js';
import { createSmtpEdge, type SmtpEdgeOptions } from '../../src/edge/smtp/smtp-edge.js';
import { createSocketmapEdge, type SocketmapEdgeOptions } from '../../src/edge/socketmap/socketmap-edge.js';
import { createTcpEdge, type TcpEdgeOptions } from '../../src/edge/tcp-table/tcp-edge.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { createMailLog } from '../../src/telemetry/mail-log.js';
import { decideByName } from './fake-decide.js';

const running: Edge[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((edge) => edge.drain()));
});

const listen = '127.0.0.1:0';
const hostname = 'edge.example';
const log = silentLogger();

const deps: EdgeDeps = {
  decide: decideByName,
  /** As `decideByName`: example.com is ours. */
  serves: (domain) => domain.toLowerCase() === 'example.com',
  witness: () => undefined,
  log,
  mailLog: createMailLog(log),
};

export interface Running {
  readonly edge: Edge;
  readonly address: ListenAddress;
}

export async function runSmtp(options: Partial<SmtpEdgeOptions> = {}): Promise<Running> {
  const section = smtpEdgeSchema.parse({ listen, hostname });
  const preset = { ...smtpServerOptions('smtp', section, deps), greetingDelayMs: section.greetingDelay };
  return start(createSmtpEdge(given(preset, options)));
}

export interface ProxyTestOptions extends Partial<Omit<ProxyEdgeOptions, 'timeouts'>> {
  readonly timeouts?: Partial<HopTimeouts>;
}

export async function runProxy({
  timeouts,
  ...options
}: ProxyTestOptions & Pick<ProxyEdgeOptions, 'nextHops'>): Promise<Running & { readonly edge: ProxyEdge }> {
  const preset = proxyOptions(proxyEdgeSchema.parse({ listen, hostname, nextHops: '127.0.0.1:1' }), deps);
  const edge = createProxyEdge(given({ ...preset, timeouts: { ...preset.timeouts, ...timeouts } }, options));
  return { ...(await start(edge)), edge };
}

export async function runPolicy(options: Partial<PolicyEdgeOptions> = {}): Promise<Running> {
  return start(createPolicyEdge(given(asking(policyEdgeSchema.parse({ listen })), options)));
}

export async function runMilter(options: Partial<AskingEdgeOptions> = {}): Promise<Running> {
  return start(createMilterEdge(given(asking(milterEdgeSchema.parse({ listen })), options)));
}

export async function runSocketmap(options: Partial<SocketmapEdgeOptions> = {}): Promise<Running> {
  return start(createSocketmapEdge(given(asking(socketmapEdgeSchema.parse({ listen })), options)));
}

export async function runTcp(options: Partial<TcpEdgeOptions> = {}): Promise<Running> {
  return start(createTcpEdge(given(asking(tcpEdgeSchema.parse({ listen })), options)));
}

export async function runReadsocket(options: Partial<ReadsocketEdgeOptions> = {}): Promise<Running> {
  return start(createReadsocketEdge(given(asking(readsocketEdgeSchema.parse({ listen })), options)));
}

export async function runHttp(options: Partial<AskingEdgeOptions> = {}): Promise<Running> {
  return start(createHttpEdge(given(asking(httpEdgeSchema.parse({ listen })), options)));
}

function asking<Section extends Parameters<typeof askingOptions>[0]>(section: Section) {
  return { ...section, ...askingOptions(section, deps) };
}

/** Tests do not wait for a drain that hangs. */
function given<Options extends EdgeOptions>(preset: Options, options: Partial<Options>): Options {
  return {
    ...preset,
    drainTimeoutMs: 50,
    mailLog: createMailLog(options.log ?? preset.log),
    ...options,
  };
}

async function start(edge: Edge): Promise<Running> {
  const [address] = await edge.listen();
  if (address === undefined) throw new Error('no address was bound');
  running.push(edge);
  return { edge, address };
}
