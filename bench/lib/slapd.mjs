/**
 * A private slapd with a directory of any size: own folder, own port, nothing of the system's touched.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './measure.mjs';
import { freePort, startServer } from './processes.mjs';
import { address } from './workload.mjs';

const base = 'dc=bench,dc=example';
export const directory = { base, bindDn: `cn=reader,${base}`, password: 'reader-secret' };
export const admin = { bindDn: `cn=admin,${base}`, password: 'admin-secret' };
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** Loads `people` entries and starts slapd; `changes`: as one whose changes are followed. Returns { url, child }. */
export async function startSlapd(folder, people, { changes = false } = {}) {
  const home = join(folder, 'slapd');
  const db = join(home, 'db');
  mkdirSync(db, { recursive: true });
  writeFileSync(join(home, 'slapd.conf'), configuration(home, db, changes));
  writeFileSync(join(home, 'people.ldif'), ldif(people));
  execFileSync('slapadd', ['-q', '-f', join(home, 'slapd.conf'), '-l', join(home, 'people.ldif')], { env });
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const args = ['-f', join(home, 'slapd.conf'), '-h', url, '-d', '0'];
  const child = await startServer('slapd', args, { port, log: join(home, 'log'), env });
  return { url, child };
}

/** What docs/directory-openldap.md asks for. */
const followed = `index entryCSN,entryUUID eq
overlay syncprov
syncprov-checkpoint 100 10
`;

function configuration(home, db, changes) {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
${changes ? 'moduleload syncprov\n' : ''}pidfile ${home}/pid
loglevel none
threads 4
database mdb
suffix ${base}
rootdn ${admin.bindDn}
rootpw ${admin.password}
directory ${db}
maxsize 4294967296
dbnosync
limits dn.exact="${directory.bindDn}" size=unlimited time=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by users read
index objectClass eq
index mail pres,eq
${changes ? followed : ''}`;
}

function ldif(people) {
  const parts = [
    `dn: ${base}\nobjectClass: dcObject\nobjectClass: organization\ndc: bench\no: Bench\n`,
    `dn: ${directory.bindDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n` +
      `userPassword: ${directory.password}\n`,
    `dn: ou=people,${base}\nobjectClass: organizationalUnit\nou: people\n`,
  ];
  for (let i = 0; i < people; i++) {
    parts.push(
      `dn: uid=p${i},ou=people,${base}\nobjectClass: inetOrgPerson\nuid: p${i}\ncn: Person ${i}\nsn: ${i}\nmail: ${address(i)}\n`,
    );
  }
  return parts.join('\n');
}

/** The bare ldapts read of all of it, a process of its own as the product is. */
export function readBare(url, people) {
  const script = new URL('../baselines/ldap-read.mjs', import.meta.url).pathname;
  const args = [script, url, base, directory.bindDn, directory.password];
  const entries = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  must(entries === people, `the bare read gave ${entries} entries instead of ${people}`);
}

/** The same by `ldapsearch -E pr=1000/noprompt`. */
export function searchAll(url, filter = '(mail=*)', attributes = ['mail', 'entryUUID']) {
  const who = ['-x', '-D', directory.bindDn, '-w', directory.password, '-H', url, '-b', base];
  const how = ['-LLL', '-o', 'ldif-wrap=no', '-E', 'pr=1000/noprompt'];
  return execFileSync('ldapsearch', [...who, ...how, filter, ...attributes], { maxBuffer: 2 ** 30 });
}

/** Gives `count` people, from the `from`-th on, a further address. */
export function addAliases(url, from, count) {
  const records = Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return `dn: uid=p${n},ou=people,${base}\nchangetype: modify\nadd: mail\nmail: alias.${address(n)}\n`;
  });
  const args = ['-x', '-D', admin.bindDn, '-w', admin.password, '-H', url];
  execFileSync('ldapmodify', args, { input: records.join('\n'), stdio: ['pipe', 'ignore', 'inherit'] });
}

/** The same directory as a source of the product. */
export function ldapSource(url) {
  return {
    kind: 'ldap',
    url,
    bindDn: directory.bindDn,
    bindPassword: { env: 'BENCH_LDAP_PASSWORD' },
    baseDn: base,
    preset: 'openldap',
    guard: { growthPercent: 1_000_000 },
  };
}

export const ldapEnv = { BENCH_LDAP_PASSWORD: directory.password };
