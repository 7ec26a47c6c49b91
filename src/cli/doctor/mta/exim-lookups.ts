/** Lookups in a RCPT ACL: files with a wildcard in them, and SQLite. */
import { fault, type MtaFinding } from './catalogue.js';
import type { EximInput } from './exim.js';
import type { Statement } from './exim-parse.js';
import { logicalLines } from './postconf-parse.js';

const wild = /\b((?:n?wild)?lsearch|cdb|dbm|iplsearch)(\*@?)?(?:,[^;{]*)?\s*(?:\{|;\s*)(\/[^\s}:]+)/g;

export function checkLookups({ file, read }: EximInput, { conditions, line }: Statement): MtaFinding[] {
  const place = `${file}:${line}`;
  return conditions.flatMap(([name, value]) => {
    const findings: MtaFinding[] = [];
    if (
      /^!?(condition|recipients|local_parts|domains|set)\b/.test(name) &&
      /\blookup\s+sqlite\b|\bsqlite;/.test(value)
    )
      findings.push(fault('exim-sqlite', place, `${name} looks into SQLite`));
    for (const [, type = '', star = '', path = ''] of [...value.matchAll(wild)].slice(0, 20)) {
      const entry = wildcardIn(read(path), star !== '', type.includes('wild'));
      if (entry !== undefined)
        findings.push(
          fault('exim-wildcard', `${place} (${path}:${entry.line})`, `${entry.key} in ${type}${star}`),
        );
    }
    return findings;
  });
}

function wildcardIn(
  text: string | undefined,
  starred: boolean,
  patterns: boolean,
): { key: string; line: number } | undefined {
  if (text === undefined || !(starred || patterns)) return undefined;
  for (const { text: row, line } of logicalLines(text)) {
    const key = /^"?([^\s:"]+)/.exec(row)?.[1] ?? '';
    if (/^\*(@.+)?$/.test(key)) return { key, line };
  }
  return undefined;
}
