/**
 * Reads the configuration file.
 *
 * Promises everything that is wrong at once (syntax first, then the schema, then what spans sections), each with its
 * path, its value where that may be shown, and what would be right. Never reads a secret.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, RollcallError } from '../errors.js';
import { checkConfig } from './check.js';
import type { CheckFinding } from './findings.js';
import { finish } from './finish.js';
import { formatIssue, issueAt, issueWithValue, schemaIssues } from './issues.js';
import type { ConfigIssue } from './issues.js';
import { readDocument } from './json.js';
import type { Document } from './json.js';
import { configSchema } from './schema.js';
import type { Config } from './schema.js';
import { secretsOf } from './secrets.js';

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigIssue[] }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Reads the text of a configuration. `file` is where it stands: relative paths count from its folder. */
export function parseConfig(text: string, options: { readonly file: string }): ParsedConfig {
  const document = readDocument(text);
  if (document.findings.length > 0) {
    return {
      ok: false,
      issues: document.findings.map(({ path, message }) => issueAt(document, path, message)),
    };
  }
  const parsed = configSchema.safeParse(document.value);
  if (!parsed.success) return { ok: false, issues: schemaIssues(document, parsed.error.issues) };
  const folder = dirname(resolve(options.file));
  const findings = checkConfig(parsed.data, folder);
  const issues = ofLevel(document, findings, 'error');
  if (issues.length > 0) return { ok: false, issues };
  const config = finish(parsed.data, folder);
  return { ok: true, config, warnings: ofLevel(document, findings, 'warning') };
}

function ofLevel(
  document: Document,
  findings: readonly CheckFinding[],
  level: CheckFinding['level'],
): ConfigIssue[] {
  return findings
    .filter((finding) => finding.level === level)
    .map(({ path, message, showValue }) =>
      (showValue === true ? issueWithValue : issueAt)(document, path, message),
    );
}

/** Loads a configuration file. Throws a RollcallError `config` that lists everything that is wrong. */
export function loadConfig(file: string): { config: Config; warnings: readonly ConfigIssue[] } {
  const parsed = parseConfig(readText(file), { file });
  if (!parsed.ok) throw new RollcallError('config', describe(file, parsed.issues));
  const { config, warnings } = parsed;
  return { config, warnings: [...warnings, ...openSecrets(config)] };
}

const largestFile = 64 * 1024 * 1024;

function readText(file: string): string {
  try {
    if (statSync(file).size > largestFile) throw new Error('larger than 64 MiB');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `cannot read the configuration ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'Name the file with -c FILE; config.example.json is one to start from.',
    });
  }
}

const mostShown = 50;

function describe(file: string, issues: readonly ConfigIssue[]): string {
  const shown = issues.slice(0, mostShown).map((issue) => `  ${formatIssue(issue)}`);
  const more = issues.length > mostShown ? [`  and ${issues.length - mostShown} more`] : [];
  return [`${file} is not a right configuration:`, ...shown, ...more].join('\n');
}

/** Secret files that every user of the machine can read. */
function openSecrets(config: Config): ConfigIssue[] {
  return secretsOf(config).flatMap(({ path, reference }) => {
    if (!('file' in reference) || !isWorldReadable(reference.file)) return [];
    const message = `every user of this machine can read ${reference.file}: chmod 600 it`;
    return [{ path: path.join('.'), message }];
  });
}

function isWorldReadable(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o004) !== 0;
}
