/** The ldap source against a fake directory: what both suites of faults and of entries need. The server goes with the test. */
import { afterEach } from 'vitest';
import { createLdapSource } from '../../src/source/ldap/ldap-source.js';
import type { LdapSourceOptions } from '../../src/source/ldap/options.js';
import {
  startFakeLdap,
  type FakeLdap,
  type FakeLdapOptions,
  type FakeSearch,
  type Reply,
} from '../support/fake-ldap.js';
import { readWhole, type ReadHooks, type WholeRead } from '../support/read-source.js';

export const base = 'dc=example,dc=com';
export const bind = { bindDn: 'cn=reader,dc=example,dc=com', bindPassword: 'reader-secret' } as const;

let fake: FakeLdap | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

export type Script = FakeLdapOptions['search'];

export async function start(search: Script, rest: Omit<FakeLdapOptions, 'search'> = {}): Promise<FakeLdap> {
  fake = await startFakeLdap({ search, ...rest });
  return fake;
}

export function optionsFor(url: string, changes: Partial<LdapSourceOptions>): LdapSourceOptions {
  return {
    name: 'staff',
    urls: [url],
    startTls: false,
    tls: { verify: true },
    ...bind,
    baseDns: [base],
    preset: 'openldap',
    scope: 'sub',
    respectDisabled: false,
    pageSize: 100,
    timeoutMs: 2_000,
    timeLimitSeconds: 77,
    connectTimeoutMs: 1_000,
    ...changes,
  };
}

export function read(
  server: FakeLdap,
  changes: Partial<LdapSourceOptions> = {},
  hooks: ReadHooks = {},
): Promise<WholeRead> {
  return readWhole(createLdapSource(optionsFor(server.url, changes)), hooks);
}

export function person(reply: Reply, number: number): void {
  reply.entry(`uid=p${String(number)},${base}`, {
    entryUUID: `00000000-0000-4000-8000-00000000000${String(number)}`,
    mail: `p${String(number)}@example.com`,
    objectClass: ['inetOrgPerson'],
  });
}

/** Answers page by page: each script is one page; the cookie is the number of the next one. */
export function pages(...scripts: ((reply: Reply, request: FakeSearch) => void)[]): Script {
  return (request, reply) => {
    const page = Number(request.paged?.cookie ?? '');
    scripts[page]?.(reply, request);
  };
}
