/**
 * What a private slapd is configured with: its slapd.conf, a schema with Active-Directory-like attributes, and the entries
 * every test directory begins with.
 *
 * The attribute and class names are those of Active Directory and of the laser schema (mailLocalAddress), so that the
 * presets meet them; the OIDs stand under 1.3.6.1.4.1.32473, the arc for documentation (RFC 5612).
 */
import type { Certificate } from './pki.js';

export const suffix = 'dc=example,dc=com';
export const peopleDn = `ou=people,${suffix}`;
export const groupsDn = `ou=groups,${suffix}`;
export const admin = { dn: `cn=admin,${suffix}`, password: 'admin-secret' } as const;
export const reader = { dn: `cn=reader,ou=services,${suffix}`, password: 'reader-secret' } as const;

export interface SlapdLimits {
  /** Largest unpaged answer for the reader: `size.soft` and `size.hard`. */
  readonly size: number;
  /** Largest page for the reader: `size.pr`; a larger page size is result 11. */
  readonly page: number;
  /** Most entries over all pages for the reader: `size.prtotal`. */
  readonly total: number | 'unlimited';
}

export interface SlapdSettings {
  readonly folder: string;
  readonly certificate: Certificate;
  readonly caPath: string;
  readonly limits: SlapdLimits;
  /** Refuse simple binds without TLS: result 13. */
  readonly requireTls: boolean;
  /** Entries whose DN matches this regular expression (POSIX, case-insensitive) are invisible to the reader. */
  readonly hide: string | undefined;
  readonly anonymousReads: boolean;
  /** Schemas of OpenLDAP besides the usual ones: `nis`. */
  readonly schemas: readonly string[];
  /** Users may read cn=monitor. */
  readonly monitor: boolean;
  /** Keeps contextCSN, as a provider of replicas does. */
  readonly syncprov: boolean;
  /** The only attributes that the reader may read, with commas; undefined: all of them. */
  readonly readable: string | undefined;
  /** Attributes that the reader may search for and not read, with commas. */
  readonly searchable: string | undefined;
}

const text = '1.3.6.1.4.1.1466.115.121.1.15';
const kinds = {
  text: `EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX ${text}`,
  oneText: `EQUALITY caseIgnoreMatch SYNTAX ${text} SINGLE-VALUE`,
  integer: 'EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE',
  flag: 'EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE',
  bytes: 'EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE',
} as const;

const attributes = {
  proxyAddresses: kinds.text,
  mailLocalAddress: kinds.text,
  mailAlternateAddress: kinds.text,
  sAMAccountName: kinds.oneText,
  userPrincipalName: kinds.oneText,
  mailNickname: kinds.oneText,
  targetAddress: kinds.oneText,
  objectCategory: kinds.oneText,
  userAccountControl: kinds.integer,
  groupType: kinds.integer,
  msExchRecipientTypeDetails: kinds.integer,
  msExchRequireAuthToSendTo: kinds.flag,
  objectGUID: kinds.bytes,
} as const;

/** user, contact and group as Active Directory has them; mailRouting adds the same attributes to any other entry. */
const classes = [
  'user:organizationalPerson STRUCTURAL:mail $ displayName $ uid',
  'contact:organizationalPerson STRUCTURAL:mail $ displayName',
  'group:top STRUCTURAL MUST cn:mail $ displayName $ member $ description',
  'mailRouting:top AUXILIARY:mail',
] as const;

export function schema(): string {
  const arc = '1.3.6.1.4.1.32473';
  const names = Object.keys(attributes).join(' $ ');
  const types = Object.entries(attributes).map(
    ([name, kind], index) => `attributetype ( ${arc}.10.${String(index + 1)} NAME '${name}' ${kind} )`,
  );
  const objects = classes.map((line, index) => {
    const [name = '', parent = '', may = ''] = line.split(':');
    return `objectclass ( ${arc}.20.${String(index + 1)} NAME '${name}' SUP ${parent} MAY ( ${may} $ ${names} ) )`;
  });
  return [...types, ...objects, ''].join('\n');
}

function onlySome(readable: string | undefined): string {
  if (readable === undefined) return '';
  return `access to dn.subtree="${suffix}" attrs=${readable} by dn.exact="${reader.dn}" read by * break
access to * by dn.exact="${reader.dn}" none by * break`;
}

export function slapdConf(settings: SlapdSettings): string {
  const { folder, limits } = settings;
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
${settings.schemas.map((name) => `include /etc/ldap/schema/${name}.schema\n`).join('')}include ${folder}/directory.schema
modulepath /usr/lib/ldap
moduleload back_mdb
${settings.syncprov ? 'moduleload syncprov' : ''}
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
threads 4
TLSCACertificateFile ${settings.caPath}
TLSCertificateFile ${settings.certificate.certPath}
TLSCertificateKeyFile ${settings.certificate.keyPath}
${settings.requireTls ? 'security simple_bind=128' : ''}
database mdb
suffix ${suffix}
rootdn ${admin.dn}
rootpw ${admin.password}
directory ${folder}/db
maxsize 1073741824
dbnosync
limits dn.exact="${reader.dn}" size.soft=${String(limits.size)} size.hard=${String(limits.size)} size.pr=${String(limits.page)} size.prtotal=${String(limits.total)}
access to attrs=userPassword by anonymous auth by * none
${settings.hide === undefined ? '' : `access to dn.regex="${settings.hide}" by * none`}
${onlySome(settings.readable)}
${settings.searchable === undefined ? '' : `access to attrs=${settings.searchable} by dn.exact="${reader.dn}" search by * break`}
access to * by users read by anonymous ${settings.anonymousReads ? 'read' : 'none'}
index objectClass eq
index entryUUID,entryCSN,modifyTimestamp eq
index mail,proxyAddresses,mailLocalAddress eq
${settings.syncprov ? 'overlay syncprov' : ''}
${settings.monitor ? 'monitoring on\ndatabase monitor\naccess to * by users read' : ''}
`;
}

/** The suffix, the folders for people, groups and services, and the reader. */
export const baseLdif = `dn: ${suffix}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ${peopleDn}
objectClass: organizationalUnit
ou: people

dn: ${groupsDn}
objectClass: organizationalUnit
ou: groups

dn: ou=services,${suffix}
objectClass: organizationalUnit
ou: services

dn: ${reader.dn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ${reader.password}

`;
