/**
 * What is wrong with a configuration, in words: where, the value that stands there, and what would be right.
 *
 * Refuses to show anything that may be a secret: values under a key that sounds like one, whatever a person wrote there,
 * and the user part of a URL.
 */
import type { z } from 'zod';
import type { Document, Path } from './json.js';

export interface ConfigIssue {
  /** Path of the option: `domains["example.com"].mode`; empty for the file as a whole. */
  readonly path: string;
  /** The value, where it may be shown, and what would be right. */
  readonly message: string;
  /** Line in the file, from 1. */
  readonly line?: number;
}

export function formatIssue({ path, message, line }: ConfigIssue): string {
  const where = line === undefined ? '' : ` (line ${line})`;
  return `${path === '' ? '' : `${path}: `}${message}${where}`;
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w$-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** An issue at a path of the document, with its line. */
export function issueAt(document: Document, path: Path, message: string): ConfigIssue {
  const line = document.lineOf(path);
  return { path: formatPath(path), message, ...(line === undefined ? {} : { line }) };
}

/** An issue that shows the value found there. */
export function issueWithValue(document: Document, path: Path, message: string): ConfigIssue {
  const value = valueAt(document.value, path);
  const found = value === undefined ? 'is missing' : `value ${show(path, value)}`;
  return issueAt(document, path, `${found}: ${message}`);
}

/** The issues of the schema, in our words. */
export function schemaIssues(document: Document, issues: readonly z.core.$ZodIssue[]): ConfigIssue[] {
  return issues.flatMap((issue) => translate(document, issue, issue.path.map(plain)));
}

function translate(document: Document, issue: z.core.$ZodIssue, path: Path): ConfigIssue[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) =>
      issueAt(document, [...path, key], messages[index] ?? 'unknown key'),
    );
  }
  if (issue.code === 'invalid_key') {
    return [issueAt(document, path, issue.issues[0]?.message ?? issue.message)];
  }
  const branch = issue.code === 'invalid_union' ? issue.errors.find(isOfTheRightType) : undefined;
  if (branch === undefined) return [issueWithValue(document, path, issue.message)];
  return branch.flatMap((inner) => translate(document, inner, [...path, ...inner.path.map(plain)]));
}

/** Whether a branch of a union was the one meant: its shape fits, what stands in it does not. */
function isOfTheRightType(branch: readonly z.core.$ZodIssue[]): boolean {
  const shape = ['invalid_type', 'invalid_value', 'unrecognized_keys'];
  return !branch.some((issue) => issue.path.length === 0 && shape.includes(issue.code));
}

function plain(part: PropertyKey): string | number {
  return typeof part === 'symbol' ? String(part) : part;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, part) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, part)) return undefined;
    return (inner as Readonly<Record<string | number, unknown>>)[part];
  }, value);
}

const sounds = /pass(word|wd|phrase)?|secret|token|credential|authorization|cookie|(^|[a-z])key$/i;
const longest = 80;

function show(path: Path, value: unknown): string {
  if (path.some((part) => sounds.test(String(part)))) return '(not shown)';
  if (Array.isArray(value)) return '(a list)';
  if (typeof value === 'object' && value !== null) return '(an object)';
  const text = JSON.stringify(
    typeof value === 'string' ? value.replace(/\/\/[^/]*@/, '//(not shown)@') : value,
  );
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
