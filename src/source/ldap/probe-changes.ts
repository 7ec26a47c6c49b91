/** Whether this server tells this account what has changed, and in which way. */
import { drawback, type ProbeFinding, well } from '../probe.js';
import { changeReader } from './change-reader.js';
import type { Scan } from './scan.js';
import { isSelective } from './options.js';
import { beginChanges } from './whole-read.js';

/** As cursors name them: cursor.ts, ad/cursor.ts. */
const ways: Readonly<Record<string, string>> = {
  dirsync: 'DirSync',
  usn: 'update sequence numbers',
  csn: 'entryCSN',
  time: 'modifyTimestamp',
};

export async function tellChanges(scan: Scan): Promise<ProbeFinding> {
  if (isSelective(scan.options))
    return well('every run reads everything, because of members or exclude.filter');
  const begun = await beginChanges(scan);
  if (begun.cursor === undefined) {
    const why = begun.why === undefined ? '' : `: ${begun.why}`;
    return drawback(
      `the server does not tell this account what has changed${why}`,
      'Every run reads everything.',
      'The page on this directory says what it takes.',
    );
  }
  const { way, flags } = read(begun.cursor);
  const name = ways[way];
  const by = name === undefined ? '' : `, by ${name}`;
  const seesDeletions = await changeReader(scan.options.preset).seesDeletions?.(scan.aside(), begun.cursor);
  // where nobody ever sees deletions there is nothing to mend
  if (seesDeletions !== false) return severalCounts(scan) ?? well(`changes can be read${by}`);
  const restricted = way === 'dirsync' && flags !== 0;
  return drawback(
    restricted
      ? 'changes can be read by DirSync, but only of what this account may read itself: deletions are not among it'
      : `changes can be read${by}, but nothing shows that this account sees deletions`,
    'Deletions are seen by a listing of everything, or not before the next full read.',
    restricted
      ? 'Give the account "Replicating Directory Changes" on the domain.'
      : 'Let the account read deleted objects: see directory-active-directory.md.',
  );
}

/** 389-ds counts for each backend apart, or for all together. */
function severalCounts({ facts }: Scan): ProbeFinding | undefined {
  const backends = [...facts.root.keys()].filter((name) => name.startsWith('lastusn;'));
  if (backends.length < 2) return undefined;
  return drawback(
    `changes can be read, by ${String(backends.length)} counts: the server has one for each backend`,
    'Where one is far behind, each run reads much more than has changed.',
    'Set nsslapd-entryusn-global to on: see directory-389ds.md.',
  );
}

function read(cursor: string): { way: string; flags: unknown } {
  try {
    const parsed: unknown = JSON.parse(cursor);
    if (typeof parsed !== 'object' || parsed === null) return { way: '', flags: 0 };
    const { way, by, flags } = parsed as { way?: unknown; by?: unknown; flags?: unknown };
    const name = way ?? by;
    return { way: typeof name === 'string' ? name : '', flags };
  } catch {
    return { way: '', flags: 0 };
  }
}
