/** Checks of sources of kind `ldap`: who they bind as, and over what. */
import { error, warning, type CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import { isLoopback } from '../listen-address.js';
import type { LdapSourceConfig } from './ldap.js';

export function ldapChecks(source: LdapSourceConfig, path: Path): CheckFinding[] {
  return [...bindChecks(source, path), ...tlsChecks(source, path), ...plaintextChecks(source, path)];
}

function bindChecks({ bindDn, bindPassword }: LdapSourceConfig, path: Path): CheckFinding[] {
  if (bindDn === undefined && bindPassword === undefined) {
    return [warning(path, 'binds anonymously: most directories then show only a part, or nothing')];
  }
  // RFC 4513 §5.1.2: a name without a password is an "unauthenticated" bind, which succeeds as anonymous.
  if (bindPassword === undefined) return [error([...path, 'bindPassword'], 'must be set, as "bindDn" is')];
  return bindDn === undefined ? [error([...path, 'bindDn'], 'must be set, as "bindPassword" is')] : [];
}

function tlsChecks({ url, startTls, tls }: LdapSourceConfig, path: Path): CheckFinding[] {
  const secure = url.some((each) => isLdaps(each));
  const both = startTls && secure;
  const unused = !secure && !startTls && (tls.ca !== undefined || tls.servername !== undefined);
  return [
    ...(both
      ? [
          error(
            [...path, 'startTls'],
            'an ldaps:// connection is encrypted already: use ldap:// or leave it out',
          ),
        ]
      : []),
    ...(unused
      ? [error([...path, 'tls'], 'has no effect on ldap://: use ldaps:// or "startTls": true')]
      : []),
    ...(tls.verify
      ? []
      : [warning([...path, 'tls', 'verify'], 'anyone between here and the directory can read the password')]),
  ];
}

function plaintextChecks(
  { url, startTls, allowUnencrypted, bindPassword }: LdapSourceConfig,
  path: Path,
): CheckFinding[] {
  if (startTls || bindPassword === undefined) return [];
  const open = url.filter((each) => !isLdaps(each) && !isLoopback(new URL(each).hostname));
  if (open.length === 0) return [];
  if (allowUnencrypted)
    return [warning([...path, 'allowUnencrypted'], 'the password of "bindDn" travels unencrypted')];
  const message =
    'would send the password unencrypted: use ldaps://, "startTls": true, or "allowUnencrypted": true';
  return [error([...path, 'url'], `${open.join(' and ')} ${message}`)];
}

function isLdaps(url: string): boolean {
  return url.toLowerCase().startsWith('ldaps:');
}
