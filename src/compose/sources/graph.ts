/** From the configuration to a source of kind `graph`: resolves secrets and reads certificates, and nothing before it is asked to. */
import { resolveSecret } from '../../config/resolve-secret.js';
import type { GraphSourceConfig } from '../../config/sources/graph.js';
import { RollcallError } from '../../errors.js';
import { clouds } from '../../source/graph/clouds.js';
import type { GraphCredential, GraphSourceOptions } from '../../source/graph/options.js';
import type { Source } from '../../source/source.js';
import { readCertificate } from './certificate.js';
import { lazily } from './lazily.js';

export function graphSource(name: string, source: GraphSourceConfig): Source {
  const { login, graph } = source.endpoints ?? clouds[source.cloud];
  const options: GraphSourceOptions = {
    name,
    tenantId: source.tenantId,
    clientId: source.clientId,
    credential: credentialOf(name, source),
    login: new URL(login).origin,
    graph: new URL(graph).origin,
    include: source.include,
    userPrincipalName: source.userPrincipalName,
    respectDisabled: source.respectDisabled && source.noSharedMailboxes,
    proxy: source.proxy,
    ca: source.ca === undefined ? undefined : readCertificate(source.ca, `sources.${name}.ca`),
    timeoutMs: source.timeout,
  };
  return lazily(async () => {
    const { createGraphSource } = await import('../../source/graph/graph-source.js');
    return createGraphSource(options);
  }, ['changes', 'find', 'probe']);
}

function credentialOf(name: string, { clientSecret, certificate }: GraphSourceConfig): GraphCredential {
  if (certificate !== undefined) {
    return {
      kind: 'certificate',
      certificate: readCertificate(certificate.file, `sources.${name}.certificate.file`),
      key: resolveSecret(certificate.key, `sources.${name}.certificate.key`),
    };
  }
  if (clientSecret !== undefined)
    return { kind: 'secret', secret: resolveSecret(clientSecret, `sources.${name}.clientSecret`) };
  throw new RollcallError('config', `sources.${name}: neither clientSecret nor certificate is set`);
}
