/** The configuration file as `config check` and `doctor` look at it: everything that is wrong, without throwing for it. */
import { formatIssue, type ConfigIssue } from '../config/issues.js';
import { loadConfig, parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { messageOf, RollcallError } from '../errors.js';
import { readFileSync } from 'node:fs';
import { plural } from './text.js';

export interface CheckedFile {
  readonly config: Config | undefined;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** `2 domains, 1 source`. */
  readonly summary: string;
}

/** Throws `config` only when the file cannot be read at all. */
export function parseConfigFile(file: string): CheckedFile {
  const parsed = parseConfig(readText(file), { file });
  if (!parsed.ok) return { config: undefined, issues: parsed.issues, warnings: [], summary: '' };
  const { config, warnings } = loadConfig(file);
  return { config, issues: [], warnings, summary: summaryOf(config) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `cannot read the configuration ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'Name the file with -c FILE; config.example.json is one to start from.',
    });
  }
}

function summaryOf(config: Config): string {
  const edges = Object.values(config.edges).filter((edge) => edge !== undefined).length;
  const parts = [
    plural(Object.keys(config.domains).length, 'domain'),
    plural(Object.keys(config.sources).length, 'source'),
    plural(edges, 'edge'),
  ];
  return parts.join(', ');
}

export function formatIssues(level: 'error' | 'warning', issues: readonly ConfigIssue[]): string[] {
  return issues.map((issue) => `${level}: ${formatIssue(issue)}`);
}
