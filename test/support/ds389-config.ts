/**
 * What a private 389 Directory Server is made with: dscreate's answers, the parts of dse.ldif that tests want otherwise, and
 * the entries every test directory begins with.
 */

export const suffix = 'dc=example,dc=com';
export const peopleDn = `ou=people,${suffix}`;
export const manager = { dn: 'cn=Directory Manager', password: 'manager-secret' } as const;
export const reader = { dn: `cn=reader,ou=services,${suffix}`, password: 'reader-secret' } as const;

/** For `dscreate from-file`: everything below one folder, nothing started. */
export function setupInf(folder: string, port: number): string {
  const below = ['db', 'inst', 'bak', 'ldif', 'log', 'lock', 'initconfig'] as const;
  const keys = [
    'db_dir',
    'inst_dir',
    'backup_dir',
    'ldif_dir',
    'log_dir',
    'lock_dir',
    'initconfig_dir',
  ] as const;
  return `[general]
full_machine_name = localhost
strict_host_checking = False
selinux = False
systemd = False
start = False
[slapd]
instance_name = test
root_password = ${manager.password}
port = ${String(port)}
secure_port = 0
self_sign_cert = False
user = root
group = root
db_home_dir = ${folder}/dbhome
${keys.map((key, index) => `${key} = ${folder}/${below[index] ?? ''}`).join('\n')}
[backend-userroot]
suffix = ${suffix}
sample_entries = no
`;
}

/** Loopback only; optionally the USN plug-in; an index on modifyTimestamp. */
export function changedDse(dse: string, port: number, usn: boolean): string {
  const entries = dse
    .trimEnd()
    .split(/\n\n+/)
    .map((entry) => changedEntry(entry, port, usn));
  return `${entries.join('\n\n')}\n\n`;
}

function changedEntry(entry: string, port: number, usn: boolean): string {
  if (/^dn: cn=config$/im.test(entry)) {
    const rest = entry.replace(/^nsslapd-(port|listenhost|secureport):.*\n?/gim, '');
    return `${rest.trimEnd()}\nnsslapd-port: ${String(port)}\nnsslapd-listenhost: 127.0.0.1`;
  }
  if (/^nsslapd-db-durable-transaction: on$/im.test(entry))
    return entry.replace(/^(nsslapd-db-durable-transaction): on$/im, '$1: off');
  if (usn && /^dn: cn=USN,cn=plugins,cn=config$/im.test(entry))
    return entry.replace(/^nsslapd-pluginEnabled: off$/im, 'nsslapd-pluginEnabled: on');
  return entry;
}

/** The suffix with the right to read for the reader, the folders, and the reader. */
export const baseLdif = `dn: ${suffix}
objectClass: domain
dc: example
aci: (targetattr = "* || nsUniqueId || modifyTimestamp || entryusn || numSubordinates")(version 3.0; acl "rollcall"; allow (read, search, compare) userdn = "ldap:///${reader.dn}";)

dn: ${peopleDn}
objectClass: organizationalUnit
ou: people

dn: ou=services,${suffix}
objectClass: organizationalUnit
ou: services

dn: ${reader.dn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ${reader.password}

`;

/** dn: of an index, as it stands in dse.ldif and as it is added to a running server. */
export const timeIndexLdif = `dn: cn=modifyTimestamp,cn=index,cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: nsIndex
cn: modifyTimestamp
nsSystemIndex: false
nsIndexType: eq
nsMatchingRule: generalizedTimeOrderingMatch

`;
