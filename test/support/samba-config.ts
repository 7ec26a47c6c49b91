/**
 * What a private Samba AD is made with: its smb.conf, and the few attributes and classes of Exchange that the presets meet.
 *
 * Samba's schema has `mail` and `proxyAddresses` as Windows has; what Exchange's setup adds is added here under the names of
 * Exchange. The OIDs stand under 1.3.6.1.4.1.32473, the arc for documentation (RFC 5612).
 */
export const suffix = 'DC=example,DC=test';
export const realm = 'EXAMPLE.TEST';

/** The ou of everything that tests load. */
export const staffDn = `OU=Staff,${suffix}`;

/** Sees everything, tombstones included. */
export const admin = { dn: 'administrator@example.test', password: 'Adm1n-Passw0rd' } as const;
/** An ordinary account: no right to replicate. */
export const reader = { dn: 'svc-reader@example.test', password: 'Sync-Passw0rd1' } as const;
/** An ordinary account with "Replicating Directory Changes" on the domain. */
export const replicator = { dn: 'svc-replicator@example.test', password: 'Sync-Passw0rd1' } as const;

export type StrongAuth = 'yes' | 'allow_sasl_over_tls' | 'no';

export interface SambaSettings {
  readonly folder: string;
  readonly host: string;
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
  readonly strongAuth: StrongAuth;
}

export function smbConf(settings: SambaSettings): string {
  const { folder, host } = settings;
  const lines = {
    workgroup: 'EXAMPLE',
    realm,
    'netbios name': 'DC1',
    'server role': 'active directory domain controller',
    'server services': 'ldap',
    // With the mask: without it Samba finds no interface and listens nowhere.
    interfaces: `${host}/8`,
    'bind interfaces only': 'yes',
    'private dir': `${folder}/private`,
    'lock directory': folder,
    'state directory': `${folder}/state`,
    'cache directory': `${folder}/cache`,
    'binddns dir': `${folder}/bind-dns`,
    'pid directory': `${folder}/run`,
    'ncalrpc dir': `${folder}/run/ncalrpc`,
    'winbindd socket directory': `${folder}/run/winbindd`,
    'ntp signd socket directory': `${folder}/run/ntp`,
    'log file': `${folder}/log`,
    'tls enabled': 'yes',
    'tls keyfile': settings.key,
    'tls certfile': settings.certificate,
    'tls cafile': settings.ca,
    'ldap server require strong auth': settings.strongAuth,
  };
  const text = Object.entries(lines).map(([name, value]) => `\t${name} = ${value}\n`);
  return `[global]\n${text.join('')}`;
}

const schemaDn = `CN=Schema,CN=Configuration,${suffix}`;
const arc = '1.3.6.1.4.1.32473.2';

/** In the order in which they have to be added, one transaction each. */
export const exchangeSchema: readonly string[] = [
  attribute(1, 'ms-Exch-Recipient-Type-Details', 'msExchRecipientTypeDetails', '2.5.5.16', 65) +
    attribute(2, 'ms-Exch-Require-Auth-To-Send-To', 'msExchRequireAuthToSendTo', '2.5.5.8', 1) +
    attribute(3, 'ms-Exch-Hide-From-Address-Lists', 'msExchHideFromAddressLists', '2.5.5.8', 1),
  `dn: CN=Mail-Recipient,${schemaDn}
changetype: modify
add: mayContain
mayContain: msExchRecipientTypeDetails
mayContain: msExchRequireAuthToSendTo
mayContain: msExchHideFromAddressLists

`,
  // Exchange's setup does so: without it the addresses are in no global catalog.
  `dn: CN=Proxy-Addresses,${schemaDn}
changetype: modify
replace: isMemberOfPartialAttributeSet
isMemberOfPartialAttributeSet: TRUE

`,
  structural(4, 'ms-Exch-Dynamic-Distribution-List', 'msExchDynamicDistributionList') +
    structural(5, 'ms-Exch-Public-Folder', 'publicFolder'),
];

function attribute(number: number, cn: string, name: string, syntax: string, om: number): string {
  return `dn: CN=${cn},${schemaDn}
changetype: add
objectClass: attributeSchema
attributeID: ${arc}.${String(number)}
lDAPDisplayName: ${name}
attributeSyntax: ${syntax}
oMSyntax: ${String(om)}
isSingleValued: TRUE
isMemberOfPartialAttributeSet: TRUE

`;
}

/** Without a security descriptor of its own, an ordinary account would not see objects of the class at all. */
function structural(number: number, cn: string, name: string): string {
  return `dn: CN=${cn},${schemaDn}
changetype: add
objectClass: classSchema
governsID: ${arc}.${String(number)}
lDAPDisplayName: ${name}
subClassOf: top
objectClassCategory: 1
rDNAttID: cn
possSuperiors: organizationalUnit
possSuperiors: container
auxiliaryClass: mailRecipient
mayContain: mail
defaultSecurityDescriptor: D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPLCLORC;;;AU)
defaultObjectCategory: CN=${cn},${schemaDn}

`;
}
