/**
 * The spellings under which a mail server may look for a local part with letters beyond ASCII. Rollcall folds them all to
 * one; most mail servers fold ASCII and take the rest byte by byte, and whoever is not found is refused. Pure.
 *
 * Promises: every spelling given folds to the local part it is of. Not all of them where there are too many: then the usual
 * ones, and it is told.
 */
import { foldLocal } from '../address/key.js';

/** Which letters the mail server folds by itself. */
export type Folding = 'ascii' | 'unicode';

export interface Variants {
  /** Other spellings, ASCII letters in lower case. */
  readonly others: readonly string[];
  /** All there are, in one normal form throughout. */
  readonly complete: boolean;
}

const none: Variants = { others: [], complete: true };
/** Spellings of one local part by case; each is written in two normal forms where these differ. */
const mostByCase = 32;

/** `local`: folded, as in a row. */
export function variantsOf(local: string, folding: Folding): Variants {
  if (isAscii(local)) return none;
  const all = folding === 'unicode' ? [local] : combinations(local);
  const byCase = all ?? usual(local);
  const spelled = new Set(byCase.flatMap((each) => [each, each.normalize('NFD')]).map(lowerAscii));
  spelled.delete(local);
  return {
    others: [...spelled].filter((each) => foldLocal(each) === local),
    complete: all !== undefined,
  };
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Each letter beyond ASCII either way; undefined when there are too many. */
function combinations(local: string): string[] | undefined {
  let made = [''];
  for (const letter of local) {
    const ways = [letter, ...capitalsOf(letter)];
    made = ways.flatMap((way) => made.map((start) => start + way));
    if (made.length > mostByCase) return undefined;
  }
  return made;
}

/** ς at the end of a word folds to σ, and ẞ to ß, whose own upper case is SS: another mailbox. */
const besides: ReadonlyMap<string, readonly string[]> = new Map([
  ['σ', ['Σ', 'ς']],
  ['ß', ['ẞ']],
]);

function capitalsOf(letter: string): readonly string[] {
  if (letter.length === 1 && letter.charCodeAt(0) < 0x80) return [];
  const own = besides.get(letter);
  if (own !== undefined) return own;
  const capital = letter.toUpperCase();
  return capital !== letter && foldLocal(capital) === letter ? [capital] : [];
}

/** Small, capital, the first letter capital, that of each word capital; with ς at the ends of words. */
function usual(local: string): string[] {
  const upper = local.replace(/./gsu, capitalize);
  const first = local.replace(/^./u, capitalize);
  const words = local.replace(/(?<![\p{L}\p{M}])\p{L}/gu, capitalize);
  return [local, first, words]
    .flatMap((each) => [each, each.replace(/σ(?![\p{L}\p{M}])/gu, 'ς')])
    .concat(upper);
}

function capitalize(letter: string): string {
  return capitalsOf(letter)[0] ?? letter;
}
