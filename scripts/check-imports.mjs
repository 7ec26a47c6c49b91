/**
 * Holds the import ranks of docs/architecture.md: `node scripts/check-imports.mjs [FOLDER]`, FOLDER holding src/.
 *
 * Reads every import, `import type`, re-export, dynamic import and type import with the TypeScript parser. Data flows one
 * way through the house, so a room may import only rooms of a lower rank, and what it imports is what a reader must
 * know to change it. Prints each violation with its place, the rule, and how to mend it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { isMain, root, runScript, say } from './setup.mjs';

/** A room is a folder of src/, or a file directly in it. */
const ranks = {
  'errors.ts': -1,
  address: 0,
  telemetry: 0,
  dns: 0,
  config: 0,
  source: 1,
  store: 1,
  traffic: 1,
  sync: 2,
  callahead: 2,
  live: 2,
  lookup: 2,
  policy: 3,
  edge: 4,
  http: 4,
  export: 4,
  compose: 5,
  'worker.ts': 6,
  'control.ts': 6,
  'edge.ts': 6,
  'serve.ts': 6,
  cli: 7,
  'main.ts': 8,
};

/** Everything else receives plain options, and so can be tested and reused without a configuration. */
const knowConfig = new Set(['config', 'compose', 'worker.ts', 'control.ts', 'edge.ts', 'serve.ts', 'cli']);

/** Edges ask for verdicts; what they are made from is none of their business. */
const closedToEdges = new Set(['store', 'lookup', 'sync', 'source', 'callahead', 'live']);

/** All violations under `folder`/src, as { where, rule, mend }. */
export function checkImports(folder) {
  const src = join(folder, 'src');
  return readdirSync(src, { recursive: true })
    .map((name) => join(src, name))
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => checkFile(src, file));
}

function checkFile(src, file) {
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const room = roomOf(src, file);
  const violations = [];
  const report = (node, broken) => {
    if (broken === undefined) return;
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
    violations.push({ where: `${relative(dirname(src), file)}:${line}`, ...broken });
  };
  const visit = (node) => {
    const specifier = specifierOf(node);
    if (specifier?.startsWith('.')) report(node, judge(room, roomOf(src, resolve(dirname(file), specifier))));
    if (room !== 'main.ts') report(node, exits(node));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  if (ranks[room] === undefined) report(tree, unranked(room));
  return violations;
}

/** The room of a file or of an import's target; `..` for what lies outside src/. */
function roomOf(src, path) {
  return relative(src, path).split(sep)[0].replace(/\.js$/, '.ts');
}

function specifierOf(node) {
  const literal =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node)
        ? node.argument.literal
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
  return literal !== undefined && ts.isStringLiteralLike(literal) ? literal.text : undefined;
}

function judge(from, to) {
  if (from === to || ranks[from] === undefined) return undefined;
  if (to === '..')
    return { rule: `${from} imports from outside src/`, mend: 'move what it needs into a room' };
  if (ranks[to] === undefined) return unranked(to);
  if (to === 'config' && !knowConfig.has(from)) {
    return {
      rule: `${from} knows the configuration`,
      mend: 'take plain options; a composition root fills them in',
    };
  }
  if (from === 'edge' && closedToEdges.has(to)) {
    return { rule: `edge imports ${to}`, mend: 'ask through `Decide` of policy/verdict.ts' };
  }
  if (ranks[to] < ranks[from]) return undefined;
  const how = ranks[to] === ranks[from] ? 'of the same rank' : 'of a higher rank';
  return {
    rule: `${from} (rank ${ranks[from]}) imports ${to} (rank ${ranks[to]}), a room ${how}`,
    mend: 'declare the interface in the lower room and let a composition root pass the other one in',
  };
}

function unranked(room) {
  return {
    rule: `${room} has no rank`,
    mend: 'give it one in scripts/check-imports.mjs and docs/architecture.md',
  };
}

function exits(node) {
  const calls =
    (ts.isPropertyAccessExpression(node) &&
      node.expression.getText() === 'process' &&
      node.name.text === 'exit') ||
    (ts.isImportSpecifier(node) && (node.propertyName ?? node.name).text === 'exit');
  return calls
    ? { rule: 'process.exit outside src/main.ts', mend: 'return a status or throw a RollcallError' }
    : undefined;
}

if (isMain(import.meta.url)) {
  await runScript(() => {
    const violations = checkImports(resolve(process.argv[2] ?? root));
    for (const { where, rule, mend } of violations) say(`${where}: ${rule}\n    mend: ${mend}`);
    return violations.length === 0 ? 0 : 1;
  });
}
