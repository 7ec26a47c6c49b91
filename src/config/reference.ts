/**
 * The reference of the configuration, out of the schema: the page, and the JSON Schema for editors.
 *
 * Promises that a key exists here if and only if it exists in the schema. Refuses a key without a description: the
 * generator throws.
 */
import { z } from 'zod';
import { RollcallError } from '../errors.js';
import { configSchema } from './schema.js';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly oneOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly 'x-type'?: string;
  readonly 'x-bounds'?: string;
}

/** The JSON Schema (draft 2020-12) of the configuration file. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'Rollcall configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}

/** The reference page, as Markdown. */
export function configReference(): string {
  return `${intro}\n${sections(configJsonSchema(), '').join('\n')}`;
}

const intro = `# Configuration

<!-- Generated from src/config by \`npm run docs\`. Do not edit. -->

One file: JSON with comments and trailing commas. Rollcall reads \`./config.json\`, then \`/etc/rollcall/config.json\`, or
the file named by \`-c FILE\`. \`rollcall config check\` says everything that is wrong with it; \`rollcall config print\`
shows it with every default filled in. \`config.example.json\` is one to start from.

- **Unknown keys are errors**, and so is a key written twice.
- **Durations** are \`"90s"\`, \`"15m"\`, \`"48h"\`, \`"7d"\` (also \`ms\`). **Sizes** are \`"256MiB"\` or a number of bytes.
- **Listen addresses** are \`"127.0.0.1:2525"\`, \`"[::1]:2525"\`, \`"unix:/run/rollcall/policy.sock"\`.
- **Secrets** never stand in the file: \`{"env": "NAME"}\` names an environment variable, \`{"file": "path"}\` a file.
- **Paths** count from the folder of the configuration file.
- For completion in your editor: \`"$schema": "./docs/config.schema.json"\`.
`;

/** The section of an object: a table of its keys, then the sections of what is inside. */
function sections(node: SchemaNode, title: string): string[] {
  const own = table(node, title);
  const inner = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    innerSections(child, join(title, key)),
  );
  return [...own, ...inner];
}

function innerSections(node: SchemaNode, title: string): string[] {
  const each = node.additionalProperties;
  if (typeof each === 'object') return variants(each, `${title}.NAME`);
  return isSection(node, title) ? sections(node, title) : [];
}

/** One section; or one for what all kinds share, and one for each kind. */
function variants(node: SchemaNode, title: string): string[] {
  if (node.oneOf === undefined) return table(node, title);
  const kinds = node.oneOf;
  const isShared = ([key, child]: [string, SchemaNode]) =>
    kinds.every((kind) => JSON.stringify(kind.properties?.[key]) === JSON.stringify(child));
  const shared = Object.entries(kinds[0]?.properties ?? {}).filter(isShared);
  const own = kinds.flatMap((kind) => {
    const rest = Object.entries(kind.properties ?? {}).filter((entry) => !isShared(entry));
    return table(
      { ...kind, properties: Object.fromEntries(rest) },
      title,
      `kind \`${String(kind.properties?.['kind']?.const)}\``,
    );
  });
  return [...table({ properties: Object.fromEntries(shared) }, title, 'every kind'), ...own];
}

/** Objects at the top and the edges get their own section; deeper ones are rows with dots. */
function isSection(node: SchemaNode, title: string): boolean {
  return node.properties !== undefined && (!title.includes('.') || /^edges\.\w+$/.test(title));
}

function table(node: SchemaNode, title: string, which?: string): string[] {
  const heading = title === '' ? '## Top level' : `## \`${title}\`${which === undefined ? '' : `, ${which}`}`;
  const rows = rowsOf(node, '', title);
  return [`${heading}\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`];
}

function rowsOf(node: SchemaNode, prefix: string, title: string): string[] {
  const whose = prefix === '' ? '**required**' : `**required** in \`${prefix}\``;
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const name = join(prefix, key);
    const required = node.required?.includes(key) === true ? whose : undefined;
    const flat = child.properties !== undefined && !isSection(child, join(title, name));
    if (!flat || child['x-type'] !== undefined) return [row(child, name, required, join(title, name))];
    return rowsOf(child, name, title);
  });
}

function row(node: SchemaNode, name: string, required: string | undefined, where: string): string {
  if (node.description === undefined)
    throw new RollcallError('internal', `${where} has no description in the schema`);
  const cells = [`\`${name}\``, typeOf(node), required ?? defaultOf(node), node.description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(node: SchemaNode): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(' ');
  const bounds = boundsOf(node);
  return `${node['x-type'] ?? plainType(node)}${bounds === '' ? '' : `, ${bounds}`}`;
}

function plainType(node: SchemaNode): string {
  if (node.type === 'array' && node.items !== undefined)
    return `list of ${node.items['x-type'] ?? plainType(node.items)}`;
  return { string: 'text', boolean: 'true or false', object: 'object' }[node.type ?? ''] ?? 'value';
}

function boundsOf(node: SchemaNode): string {
  if (node['x-bounds'] !== undefined) return node['x-bounds'];
  if (node.minimum !== undefined && node.maximum !== undefined) return `${node.minimum} to ${node.maximum}`;
  if (node.maxItems !== undefined) return `at most ${node.maxItems}`;
  return '';
}

function defaultOf(node: SchemaNode): string {
  const isEmpty = JSON.stringify(node.default) === '{}';
  return node.default === undefined || isEmpty ? '–' : code(node.default);
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function join(prefix: string, key: string): string {
  return prefix === '' ? key : `${prefix}.${key}`;
}
