/** Configurations of the product that several tests begin with. */
import type { Slapd } from './slapd.js';

export type Json = Readonly<Record<string, unknown>>;

export interface StaffOptions {
  /** Over the source `staff`. */
  readonly source?: Json;
  /** Over the domain `example.com`. */
  readonly domain?: Json;
  /** Over the top level. */
  readonly rest?: Json;
}

/** The domain `example.com`, enforced, with its people in that slapd; both edges on ports of the system's choice. */
export function staffInSlapd(slapd: Slapd, { source, domain, rest }: StaffOptions = {}): Json {
  return {
    domains: { 'example.com': { mode: 'enforce', sources: ['staff'], ...domain } },
    sources: {
      staff: {
        kind: 'ldap',
        url: slapd.url,
        bindDn: slapd.reader.dn,
        bindPassword: { env: 'STAFF_PASSWORD' },
        baseDn: slapd.suffix,
        preset: 'openldap',
        jitter: '0s',
        ...source,
      },
    },
    edges: { smtp: { listen: '127.0.0.1:0' }, policy: { listen: '127.0.0.1:0' } },
    ...rest,
  };
}

export function staffEnv(slapd: Slapd): { STAFF_PASSWORD: string } {
  return { STAFF_PASSWORD: slapd.reader.password };
}
