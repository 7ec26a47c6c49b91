/**
 * The configuration of an Exim, as far as the RCPT ACL goes: main settings, the ACLs with their statements, macros put in.
 *
 * Promises an answer for any text, in bounded time. `.include` and `.ifdef` are not followed: their lines are left out.
 */

export interface Statement {
  /** `accept`, `deny`, `defer`, `require`, `warn`, `drop`, `discard`. */
  readonly verb: string;
  /** Conditions and modifiers in order, `!` in front where it is negated: `['!verify', 'recipient/callout']`. */
  readonly conditions: readonly (readonly [name: string, value: string])[];
  /** 1-based. */
  readonly line: number;
}

export interface EximConf {
  readonly main: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  /** `domainlist NAME = …` and the like, by name. */
  readonly lists: ReadonlyMap<string, string>;
  readonly acls: ReadonlyMap<string, readonly Statement[]>;
}

interface Line {
  readonly text: string;
  readonly line: number;
}

export function parseExim(text: string): EximConf {
  const main = new Map<string, { value: string; line: number }>();
  const lists = new Map<string, string>();
  const acls = new Map<string, Statement[]>();
  let section = 'main';
  let acl: Statement[] | undefined;
  for (const { text: row, line } of expandMacros(logicalRows(text))) {
    const begin = /^begin\s+(\w+)/.exec(row);
    if (begin !== null) section = begin[1] ?? '';
    else if (section === 'main') readMain(row, line, main, lists);
    else if (section === 'acl') {
      const label = /^([\w.-]+):$/.exec(row);
      if (label === null) readStatement(row, line, acl);
      else acls.set(label[1] ?? '', (acl = []));
    }
  }
  return { main, lists, acls };
}

/** A backslash at the end joins with the next line, whose leading space goes; comment lines may stand between. */
function logicalRows(text: string): Line[] {
  const rows: Line[] = [];
  let parts: string[] = [];
  let first = 0;
  text.split(/\r?\n/).forEach((raw, index) => {
    const row = raw.trim();
    if (row === '' || row.startsWith('#')) return;
    if (parts.length === 0) first = index + 1;
    const goesOn = row.endsWith('\\');
    parts.push(goesOn ? row.slice(0, -1) : row);
    if (goesOn) return;
    rows.push({ text: parts.join('').trim(), line: first });
    parts = [];
  });
  if (parts.length > 0) rows.push({ text: parts.join('').trim(), line: first });
  return rows.filter(({ text: row }) => !row.startsWith('.'));
}

const mostRow = 100_000;

/** `NAME = value` with a capital first; each row is gone through once, so that a macro of itself ends. */
function expandMacros(rows: readonly Line[]): Line[] {
  const macros = new Map<string, string>();
  return rows.flatMap(({ text, line }) => {
    let row = text;
    if (macros.size > 0)
      row = text.replace(/\b[A-Z]\w*\b/g, (name) => macros.get(name) ?? name).slice(0, mostRow);
    const [, name, value] = /^([A-Z]\w*)\s*==?\s*(.*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) return [{ text: row, line }];
    macros.set(name, row.replace(/^[^=]*==?\s*/, ''));
    return [];
  });
}

function readMain(
  row: string,
  line: number,
  main: Map<string, { value: string; line: number }>,
  lists: Map<string, string>,
): void {
  const [, list, listValue] =
    /^(?:domain|host|address|localpart)list(?:_cache)?\s+(\w+)\s*=\s*(.*)$/.exec(row) ?? [];
  if (list !== undefined) lists.set(list, listValue ?? '');
  const [, name, value] = /^(?:hide\s+)?(\w+)\s*=\s*(.*)$/.exec(row) ?? [];
  if (name !== undefined) main.set(name, { value: value ?? '', line });
}

const verb = /^(accept|defer|deny|discard|drop|require|warn)\b\s*(.*)$/;

/** The first condition may stand behind the verb. */
function readStatement(row: string, line: number, acl: Statement[] | undefined): void {
  if (acl === undefined) return;
  const [, name, rest = row] = verb.exec(row) ?? [];
  if (name !== undefined) acl.push({ verb: name, conditions: [], line });
  const last = acl.at(-1);
  const condition = conditionOf(rest);
  if (last === undefined || condition === undefined) return;
  acl[acl.length - 1] = { ...last, conditions: [...last.conditions, condition] };
}

function conditionOf(text: string): [string, string] | undefined {
  const [, not, name, value] = /^(!?)\s*([a-z_]\w*(?:\s+[a-z_]\w*)?)\s*=\s*(.*)$/.exec(text) ?? [];
  if (name !== undefined) return [`${not ?? ''}${name}`, value ?? ''];
  return /^!?\w+$/.test(text) ? [text, ''] : undefined;
}
