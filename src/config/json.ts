/**
 * Reads the text of a configuration: JSON with comments and trailing commas.
 *
 * Promises that every finding can be given its line. Refuses what JSON.parse would let pass in silence: a key written
 * twice, and `__proto__`.
 */
import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';

export type Path = readonly (string | number)[];

export interface Finding {
  readonly path: Path;
  readonly message: string;
}

export interface Document {
  readonly value: unknown;
  /** Syntax errors and keys written twice, each with its line in the message or findable by its path. */
  readonly findings: readonly Finding[];
  /** Line (from 1) of the value at a path, or of the nearest value around it. */
  readonly lineOf: (path: Path) => number | undefined;
}

export function readDocument(source: string): Document {
  // A byte order mark is no part of the text (RFC 8259 §8.1).
  const text = source.replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const tree = parse(text, errors);
  if (tree === 'too deep') return unreadable('nested too deeply to be a configuration');
  const syntax = errors.map((error) => syntaxMessage(text, error));
  if (tree === undefined) return unreadable('the file is empty: it must hold an object');
  const [first] = syntax;
  // Whatever follows the first mistake is its echo.
  if (first !== undefined) return unreadable(first);
  const starts = lineStarts(text);
  const lineOf = (path: Path) => line(starts, tree, path);
  const findings = repeatedKeys(tree, []);
  return { value: findings.length > 0 ? undefined : getNodeValue(tree), findings, lineOf };
}

function parse(text: string, errors: ParseError[]): Node | undefined | 'too deep' {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    // The parser recurses: some ten thousand brackets use up the stack.
    if (error instanceof RangeError) return 'too deep';
    throw error;
  }
}

function unreadable(message: string): Document {
  return { value: undefined, findings: [{ path: [], message }], lineOf: () => undefined };
}

function syntaxMessage(text: string, { error, offset }: ParseError): string {
  const before = text.slice(0, offset).split('\n');
  const words = printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: not JSON: ${words}`;
}

/** Every key that an object has twice, and every key that would change the object's prototype. */
function repeatedKeys(node: Node, path: Path): Finding[] {
  if (node.type === 'array') {
    return (node.children ?? []).flatMap((child, index) => repeatedKeys(child, [...path, index]));
  }
  if (node.type !== 'object') return [];
  const seen = new Set<string>();
  return (node.children ?? []).flatMap((property) => {
    const [name, value] = property.children ?? [];
    const key = String(name?.value);
    const here = [...path, key];
    if (key === '__proto__') return [{ path: here, message: 'not a key that may be used' }];
    if (seen.has(key)) return [{ path: here, message: 'written twice: keep one of them' }];
    seen.add(key);
    return value === undefined ? [] : repeatedKeys(value, here);
  });
}

function line(starts: readonly number[], tree: Node, path: Path): number | undefined {
  if (path.length === 0) return undefined;
  const node = findNodeAtLocation(tree, [...path]);
  if (node === undefined) return line(starts, tree, path.slice(0, -1));
  const after = starts.findIndex((start) => start > node.offset);
  return after === -1 ? starts.length : after;
}

/** The offset at which each line begins. */
function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
}
