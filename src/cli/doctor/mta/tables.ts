/** Lookup tables as Postfix names them, and the entries of those that can be read as text: sources of hash:, texthash:, inline:. */
import { logicalLines, words } from './postconf-parse.js';

export interface Table {
  /** `hash`, `socketmap`; `proxy:` taken off. */
  readonly type: string;
  readonly rest: string;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  /** `/etc/postfix/virtual:12`, or the table itself. */
  readonly where: string;
}

export type ReadText = (path: string) => string | undefined;

/** Undefined for what is no table: a domain, a file of domains. */
export function parseTable(word: string): Table | undefined {
  const bare = word.replace(/^proxy:/i, '');
  const match = /^([a-z][a-z0-9_-]*):(.+)$/is.exec(bare);
  return match === null ? undefined : { type: (match[1] ?? '').toLowerCase(), rest: match[2] ?? '' };
}

const textTables = new Set(['texthash', 'hash', 'btree', 'lmdb', 'cdb', 'dbm', 'regexp', 'pcre', 'cidr']);
const mostEntries = 5_000_000;

/** Undefined: nobody can tell by reading. */
export function entriesOf(table: Table, read: ReadText): Entry[] | undefined {
  if (table.type === 'static') return [{ key: '*', value: table.rest, where: `static:${table.rest}` }];
  if (table.type === 'inline') return inlineEntries(table.rest);
  if (!textTables.has(table.type)) return undefined;
  const text = read(table.rest);
  if (text === undefined) return undefined;
  return logicalLines(text)
    .slice(0, mostEntries)
    .map(({ text: entry, line }) => {
      const [, key = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(entry) ?? [];
      return { key, value, where: `${table.rest}:${line}` };
    });
}

function inlineEntries(rest: string): Entry[] {
  const inner = rest.trim().replace(/^\{/, '').replace(/\}$/, '');
  return words(inner, true).map((word) => {
    const at = word.indexOf('=');
    const [key, value] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    return { key: key.trim(), value: value.trim(), where: 'inline' };
  });
}

/** Whether an entry of a recipient map takes in everybody: of which domain, or of all (`*`). */
export function wildcardOf({ type }: Table, { key }: Entry): string | undefined {
  if (type === 'static') return '*';
  if (type === 'regexp' || type === 'pcre') return wildPattern(key);
  return key.startsWith('@') && key.length > 1 ? key.slice(1).toLowerCase() : undefined;
}

// A pattern that does not look at the local part: /.*/, /@example\.com$/, /^.*@example\.com$/.
function wildPattern(key: string): string | undefined {
  const [, pattern] = /^\/(.*)\/[a-z]*$/is.exec(key) ?? [];
  if (pattern === undefined) return undefined;
  const tail = pattern.replace(/^\^/, '').replace(/^\(?\.[*+]\)?/, '');
  if (tail === '' || tail === '.' || tail === '$') return '*';
  const [, domain] = /^@([a-z0-9.\\-]+)\$?$/i.exec(tail) ?? [];
  return domain?.replaceAll('\\', '').toLowerCase();
}
