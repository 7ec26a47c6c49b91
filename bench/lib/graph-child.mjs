/**
 * The tests' local Microsoft Graph in a process of its own, for benchmarks: `node graph-child.mjs FOLDER USERS`. Says where it is
 * over IPC; `{ change: N }` gives N users an alias, `{ spent: true }` answers with the seconds that answers have taken.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { address, root } from './workload.mjs';

const [folder = '', users = '0'] = process.argv.slice(2);
const outdir = join(root, '.cache/bench/graph-server');
mkdirSync(folder, { recursive: true });
mkdirSync(outdir, { recursive: true });
const support = join(root, 'test/support');
for (const name of readdirSync(support).filter((file) => /^(?:graph-.*|pki)\.ts$/.test(file))) {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(readFileSync(join(support, name), 'utf8'), {
    compilerOptions: options,
  });
  writeFileSync(join(outdir, name.replace('.ts', '.js')), outputText);
}
writeFileSync(join(outdir, 'package.json'), '{"type":"module"}');
const load = (name) => import(pathToFileURL(join(outdir, name)).href);
const [{ startGraph, secret }, { createPki }] = await Promise.all([load('graph-server.js'), load('pki.js')]);

const pki = createPki();
const graph = await startGraph({ pki });
graph.delta.pageSize = 1000;
process.once('disconnect', () => void graph.stop());
const ids = Array.from({ length: Number(users) }, (_, i) => graph.directory.addUser(address(i)));

let spent = 0;
for (const [part, method] of [
  [graph.delta, 'answer'],
  [graph.queries, 'count'],
  [graph.queries, 'list'],
]) {
  const answer = part[method].bind(part);
  part[method] = (...given) => {
    const start = performance.now();
    const reply = answer(...given);
    spent += performance.now() - start;
    return reply;
  };
}

let changed = 0;
process.on('message', ({ change }) => {
  for (let i = 0; i < (change ?? 0); i++, changed++) {
    const mail = address(changed);
    graph.directory.set('users', ids[changed], { proxyAddresses: [`SMTP:${mail}`, `smtp:alias.${mail}`] });
  }
  // what was asked is not needed, and grows
  graph.requests.length = 0;
  process.send({ spent: spent / 1000 });
  spent = 0;
});
writeFileSync(join(folder, 'secret'), secret);
const { origin, loginOrigin, application } = graph;
process.send({
  origin,
  loginOrigin,
  tenantId: application.tenantId,
  clientId: application.clientId,
  ca: pki.caPath,
});
