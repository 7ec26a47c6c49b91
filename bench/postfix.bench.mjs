/**
 * Whole Postfix, pipelined RCPTs per second, 100 k recipients, half of the questions unknown: Rollcall's socketmap and policy
 * edges against Postfix's own `ldap:` (a local slapd) and `pgsql:`, and against a socketmap server that looks up a Set.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needDebian } from './lib/debian.mjs';
import { alternate, must, report } from './lib/measure.mjs';
import { startPostfix } from './lib/postfix.mjs';
import { postgresBin, startPostgres } from './lib/postgres.mjs';
import { freePort, startServer, stopServer } from './lib/processes.mjs';
import { configure, startEdge, sync } from './lib/product.mjs';
import { directory, startSlapd } from './lib/slapd.mjs';
import { smtpLoad } from './lib/smtp-load.mjs';
import { address, csvList, questions, root, workFolder } from './lib/workload.mjs';

const rows = 100_000;
const load = { sessions: 300, concurrency: 10, perSession: 100, recipients: questions(20_000, rows) };
const asked = load.sessions * load.perSession;
const folder = workFolder();

needDebian({
  'postfix-ldap': '/usr/lib/postfix/postfix-ldap.so',
  'postfix-pgsql': '/usr/lib/postfix/postfix-pgsql.so',
  ...(postgresBin() === undefined && { postgresql: '/usr/lib/postgresql' }),
});

const sources = { list: { kind: 'csv', path: await csvList(rows) } };
const product = await configure(folder, { sources, doors: ['policy', 'socketmap'] });
await sync(product, 'list');
const edge = await startEdge(product);

const addresses = Array.from({ length: rows }, (_, i) => address(i));
writeFileSync(join(folder, 'addresses.txt'), addresses.join('\n'));
const setPort = await freePort();
const script = join(root, 'bench/baselines/socketmap.mjs');
const set = await startServer(process.execPath, [script, setPort, join(folder, 'addresses.txt')], {
  port: setPort,
});
const slapd = await startSlapd(folder, rows);
const postgres = await startPostgres(folder, addresses);

function mapFile(name, lines) {
  const file = join(folder, `${name}.cf`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 });
  return `relay_recipient_maps = ${name}:${file}`;
}

const checks = {
  'postfix ldap:': mapFile('ldap', [
    `server_host = ${slapd.url}`,
    'version = 3',
    'bind = yes',
    `bind_dn = ${directory.bindDn}`,
    `bind_pw = ${directory.password}`,
    `search_base = ${directory.base}`,
    'query_filter = (mail=%s)',
    'result_attribute = cn',
  ]),
  'postfix pgsql:': mapFile('pgsql', [
    `hosts = inet:127.0.0.1:${postgres.port}`,
    'user = postgres',
    'dbname = postgres',
    "query = SELECT address FROM recipient WHERE address = '%s'",
  ]),
  'socketmap to a Set': `relay_recipient_maps = socketmap:inet:127.0.0.1:${setPort}:recipients`,
  'rollcall socketmap': `relay_recipient_maps = socketmap:inet:127.0.0.1:${product.ports.socketmap}:recipients`,
  'rollcall policy': `smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:${product.ports.policy}`,
};

const servers = [];
const contenders = {};
for (const [name, line] of Object.entries(checks)) {
  const postfix = await startPostfix(folder, name.replaceAll(/\W/g, '-'), [line]);
  servers.push(postfix);
  contenders[name] = async () => {
    const { codes, rcptsPerSecond } = await smtpLoad({ ...load, port: postfix.port });
    must(codes[250] === asked / 2 && codes[550] === asked / 2, `${name}: ${JSON.stringify(codes)}`);
    return rcptsPerSecond;
  };
}
const figures = await alternate(contenders, { rounds: 5 });
for (const server of servers) server.stop();
for (const child of [set, slapd.child, postgres.child, edge]) await stopServer(child);

const rowsOf = (...names) => names.map((what) => ({ what, value: figures[what] }));
const best = Math.max(figures['postfix ldap:'], figures['postfix pgsql:']);
for (const door of ['socketmap', 'policy']) {
  const value = figures[`rollcall ${door}`];
  report({
    name: `postfix-${door}-databases`,
    unit: 'RCPT/s',
    rows: rowsOf('postfix ldap:', 'postfix pgsql:', `rollcall ${door}`),
    value: value / best,
    target: { atLeast: 1 },
  });
  report({
    name: `postfix-${door}-set`,
    unit: 'RCPT/s',
    rows: rowsOf('socketmap to a Set', `rollcall ${door}`),
    value: value / figures['socketmap to a Set'],
    target: { atLeast: 0.95 },
  });
}
