/** From the configuration to a source of kind `ldap`: resolves secrets and reads certificates, and nothing before it is asked to. */
import { resolveSecret } from '../../config/resolve-secret.js';
import type { LdapSourceConfig } from '../../config/sources/ldap.js';
import { isSelective, type LdapSourceOptions } from '../../source/ldap/options.js';
import type { Source } from '../../source/source.js';
import { readCertificate } from './certificate.js';
import { lazily } from './lazily.js';

export function ldapSource(name: string, source: LdapSourceConfig): Source {
  const { bindPassword } = source;
  const options: LdapSourceOptions = {
    name,
    urls: source.url,
    startTls: source.startTls,
    tls: {
      ca: source.tls.ca === undefined ? undefined : readCertificate(source.tls.ca, `sources.${name}.tls.ca`),
      servername: source.tls.servername,
      verify: source.tls.verify,
    },
    bindDn: source.bindDn,
    bindPassword:
      bindPassword === undefined ? undefined : resolveSecret(bindPassword, `sources.${name}.bindPassword`),
    baseDns: source.baseDn,
    scope: source.scope,
    preset: source.preset,
    filter: source.filter,
    excludeFilter: source.exclude.filter,
    members: source.members,
    attributes: source.attributes,
    respectDisabled: source.respectDisabled,
    pageSize: source.pageSize,
    timeoutMs: source.timeout,
    timeLimitSeconds: Math.ceil(source.timeLimit / 1000),
    connectTimeoutMs: source.connectTimeout,
  };
  const load = async (): Promise<Source> => {
    const { createLdapSource } = await import('../../source/ldap/ldap-source.js');
    return createLdapSource(options);
  };
  return lazily(load, [...(isSelective(options) ? [] : (['changes'] as const)), 'find', 'probe']);
}
