/**
 * What an LDAP source is told. Plain values: the composition root makes them from the configuration.
 */
import type { MemberOptions } from './groups.js';

export type LdapPreset = 'openldap' | 'active-directory' | '389ds';

export interface LdapTls {
  /** PEM text of the CA certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Name that the certificate must carry; default: the host of the URL. */
  readonly servername?: string | undefined;
  /** False takes any certificate, and so anyone in between. */
  readonly verify: boolean;
}

export interface LdapAttributes {
  /** Attribute with the stable object id. */
  readonly id?: string | undefined;
  /** Attributes that hold addresses. */
  readonly addresses?: readonly string[] | undefined;
}

export interface LdapSourceOptions {
  readonly name: string;
  /** `ldap://host[:port]` or `ldaps://host[:port]`, tried in order. */
  readonly urls: readonly string[];
  /** Upgrade `ldap://` connections with StartTLS before the bind. */
  readonly startTls: boolean;
  readonly tls: LdapTls;
  /** Empty or undefined: an anonymous read, which never counts as complete. */
  readonly bindDn?: string | undefined;
  readonly bindPassword?: string | undefined;
  readonly baseDns: readonly string[];
  readonly preset: LdapPreset;
  /** RFC 4515; default: the preset's. */
  readonly filter?: string | undefined;
  /** Entries that match are left out (RFC 4515). */
  readonly excludeFilter?: string | undefined;
  /** Only members of these groups. */
  readonly members?: MemberOptions | undefined;
  readonly scope: 'sub' | 'one';
  readonly attributes?: LdapAttributes | undefined;
  readonly respectDisabled: boolean;
  /** Entries per page; lowered by itself when the server refuses the size. */
  readonly pageSize: number;
  /** Longest wait for one answer of the server, in milliseconds. */
  readonly timeoutMs: number;
  /** Time limit asked of the server for one search, in seconds. */
  readonly timeLimitSeconds: number;
  /** Longest wait for a TCP connection, and again for TLS, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** Ids that the server itself gives, each once. */
const ownIds = new Set(['entryuuid', 'nsuniqueid', 'objectguid', 'ipauniqueid', 'ibm-entryuuid']);

/**
 * Why two entries may have one id, if they may. Changes replace what an id had before; that of the other entry would be gone,
 * so such a source is always read whole.
 */
export function sharedIdReason({ attributes }: LdapSourceOptions): string | undefined {
  const id = attributes?.id;
  if (id === undefined || ownIds.has(id.toLowerCase())) return undefined;
  return `${id} (attributes.id) may be shared by two entries`;
}

/** Such a source is always read whole: who is a member, or left out, may change without the object itself changing. */
export function isSelective(options: LdapSourceOptions): boolean {
  return options.members !== undefined || options.excludeFilter !== undefined;
}
