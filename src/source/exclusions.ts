/**
 * Which addresses a source leaves out: by glob over the whole address, and by a file of addresses.
 *
 * Case is never looked at, in local part or domain; domains are compared as A-labels. What cannot be parsed as an address is
 * not left out here: the sync tells of it.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { normaliseDomain } from '../address/domain.js';
import { createPatternMatcher } from '../address/glob.js';
import { foldLocal, keyOf } from '../address/key.js';
import { parseInternal, parseMailbox } from '../address/mailbox.js';
import { readExcludeFile } from './exclude-file.js';

export interface ExcludeOptions {
  /** Globs over whole addresses: `svc-*@example.com`, `*@old.example`. */
  readonly patterns: readonly string[];
  /** A file with addresses, one per line; read at each run. */
  readonly file?: string | undefined;
}

export interface Exclusions {
  /** Whether an address, as a source spells it, is left out. */
  excludes(address: string): boolean;
  /** The same for a mailbox in its internal form. */
  excludesInternal(address: string): boolean;
  /** Changes with the patterns and with the file: changes of a list are worth nothing when what it leaves out is another. */
  readonly fingerprint: string;
}

/** Loads them anew when the file has changed. Throws a RollcallError `source` when it cannot be used. */
export function exclusionsLoader(options: ExcludeOptions): () => Promise<Exclusions> {
  let kept: { readonly state: string; readonly exclusions: Exclusions } | undefined;
  return async () => {
    // taken before the file is read: a change in between is seen the next time
    const state = await stateOf(options.file);
    if (kept?.state !== state || state === '') {
      kept = { state, exclusions: await loadExclusions(options) };
    }
    return kept.exclusions;
  };
}

/** Empty: it cannot be said whether the file has changed. */
async function stateOf(file: string | undefined): Promise<string> {
  if (file === undefined) return 'no file';
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found === undefined
    ? ''
    : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join('/');
}

async function loadExclusions({ patterns, file }: ExcludeOptions): Promise<Exclusions> {
  const matches = createPatternMatcher(patterns.map(foldPattern));
  const listed = file === undefined ? undefined : await readExcludeFile(file);
  const isOut = (key: string): boolean => listed?.keys.has(key) === true || matches(key);
  return {
    excludes: (address) => {
      const parsed = parseMailbox(address);
      return parsed.ok && isOut(keyOf(parsed.mailbox));
    },
    excludesInternal: (address) => {
      const parsed = parseInternal(address);
      return parsed.ok && isOut(keyOf(parsed.mailbox));
    },
    fingerprint: createHash('sha256')
      .update(JSON.stringify([patterns, listed?.fingerprint ?? null]))
      .digest('hex')
      .slice(0, 32),
  };
}

/** As keys are folded; in a domain with globs each label without one. */
function foldPattern(pattern: string): string {
  const at = pattern.lastIndexOf('@');
  const domain = pattern.slice(at + 1);
  const folded = normaliseDomain(domain) ?? domain.split('.').map(foldLabel).join('.');
  return `${foldLocal(pattern.slice(0, at))}@${folded}`;
}

function foldLabel(label: string): string {
  return normaliseDomain(label) ?? label.toLowerCase();
}
