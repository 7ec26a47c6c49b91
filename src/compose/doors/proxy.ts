/** The `proxy` door from its section. */
import type { EdgeConfig } from '../../config/edges/edges.js';
import type { Config } from '../../config/schema.js';
import {
  createProxyEdge,
  type NextHopTlsOptions,
  type ProxyEdgeOptions,
} from '../../edge/proxy/proxy-edge.js';
import { readPem, type BuiltEdge, type EdgeDeps } from './door.js';
import { smtpServerOptions, withTls } from './smtp-server.js';

type Section = EdgeConfig<'proxy'>;

export function buildProxy(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { proxy } = config.edges;
  return proxy && withTls('proxy', proxy, createProxyEdge(proxyOptions(proxy, deps)));
}

/** Reads the certificates: throws `config`. */
export function proxyOptions(proxy: Section, deps: EdgeDeps): ProxyEdgeOptions {
  const { connect, greeting, command, data, block, final } = proxy.timeouts;
  return {
    ...smtpServerOptions('proxy', proxy, deps),
    nextHops: proxy.nextHops,
    nextHopTls: nextHopTlsOf(proxy.nextHopTls),
    clientInfo: proxy.clientInfo,
    trusted: proxy.trusted,
    foreignDomains: proxy.foreignDomains,
    retryAfterMs: proxy.retryAfter,
    timeouts: {
      connectMs: connect,
      greetingMs: greeting,
      commandMs: command,
      dataMs: data,
      blockMs: block,
      finalMs: final,
    },
    sessionTimeoutMs: proxy.sessionTimeout,
  };
}

function nextHopTlsOf({ ca, ...rest }: Section['nextHopTls']): NextHopTlsOptions {
  return { ...rest, ...(ca !== undefined && { ca: readPem(ca, 'edges.proxy.nextHopTls.ca') }) };
}
