/**
 * Whole Exim, pipelined RCPTs per second, 100 k recipients, half of the questions unknown: Rollcall's readsocket edge, with the
 * lines of `rollcall snippet exim`, against Exim's own `ldap` lookup in a local slapd.
 */

import { startExim } from './lib/exim.mjs';
import { alternate, must, report } from './lib/measure.mjs';
import { stopServer } from './lib/processes.mjs';
import { configure, rollcall, startEdge, sync } from './lib/product.mjs';
import { directory, startSlapd } from './lib/slapd.mjs';
import { smtpLoad } from './lib/smtp-load.mjs';
import { csvList, domain, questions, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { sessions: 200, concurrency: 10, perSession: 100, recipients: questions(20_000, rows) };
const asked = load.sessions * load.perSession;
const folder = workFolder();

const sources = { list: { kind: 'csv', path: await csvList(rows) } };
const product = await configure(folder, { sources, doors: ['readsocket'] });
await sync(product, 'list');
const edge = await startEdge(product);
const { json } = await rollcall(product, ['snippet', 'exim', '--door', 'readsocket']);
const acl = json.files.find(({ file }) => file.endsWith('acl')).lines;
const slapd = await startSlapd(folder, rows);

const ldapLookup = `user="${directory.bindDn}" pass=${directory.password} ${slapd.url}/${directory.base}?cn?sub?(mail=\${quote_ldap:\${lc:$local_part@$domain}})`;
const checks = {
  'exim ldap': [
    '  deny',
    '    message = 5.1.1 User unknown',
    `    !condition = \${lookup ldap{${ldapLookup}}{yes}{no}}`,
  ],
  'rollcall readsocket': acl.map((line) => line.replaceAll('+rollcall_domains', domain)),
};

const servers = [];
const contenders = {};
for (const [name, check] of Object.entries(checks)) {
  const exim = await startExim(folder, name.replaceAll(/\W/g, '-'), check);
  servers.push(exim.child);
  contenders[name] = async () => {
    const { codes, rcptsPerSecond } = await smtpLoad({ ...load, port: exim.port });
    must(codes[250] === asked / 2 && codes[550] === asked / 2, `${name}: ${JSON.stringify(codes)}`);
    return rcptsPerSecond;
  };
}
const figures = await alternate(contenders);
for (const child of [...servers, slapd.child, edge]) await stopServer(child);

report({
  name: 'exim-readsocket',
  unit: 'RCPT/s',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: figures['rollcall readsocket'] / figures['exim ldap'],
  target: { atLeast: 1 },
});
