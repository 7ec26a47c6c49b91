/**
 * Where the rows of a list begin, and what stands between its cells.
 *
 * Promises: `sep=` (Excel), `#TYPE` (PowerShell) and `version:` (Entra's templates) lines are no rows. The delimiter is the one
 * that is configured, or named by `sep=`, or that stands in the first line and most evenly in those after it. What a local part
 * may hold (RFC 5322 §3.2.3) is taken for one only where it stands in every line alike.
 */
const delimiters = [',', ';', '\t', '|', '^', '~'] as const;
const inLocalPart: ReadonlySet<string> = new Set(['|', '^', '~']);
const sampleLines = 50;

export interface Prelude {
  /** Lines before the header or the first row that are no part of the list. */
  readonly lines: number;
  /** Characters of them. */
  readonly length: number;
  readonly delimiter: string;
  /** The delimiter was told, not guessed. */
  readonly isTold: boolean;
  /** The list begins with the version of a template of Entra. */
  readonly isTemplate: boolean;
}

export function readPrelude(text: string, configured: string | undefined): Prelude {
  const special =
    /^(?:"?sep=([^\r\n])"?|#TYPE[^\r\n]*|"?version:v?[\d.]+"?[,;\t]*)[ \t]*(?:\r\n|\n|\r)/i.exec(text);
  const start = special?.[0] ?? '';
  const named = special?.[1];
  return {
    lines: special === null ? 0 : 1,
    length: start.length,
    delimiter: configured ?? named ?? guessDelimiter(text.slice(start.length)),
    isTold: (configured ?? named) !== undefined,
    isTemplate: /^"?version/i.test(start),
  };
}

function guessDelimiter(text: string): string {
  const lines = text
    .replace(/"(?:[^"]|"")*(?:"|$)/g, 'q') // not nothing: a line of tabs would look empty
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line))
    .slice(0, sampleLines);
  const first = lines[0] ?? '';
  const found = delimiters
    .map((delimiter) => ({ delimiter, ...evenness(delimiter, first, lines) }))
    .filter(
      ({ delimiter, count, even }) =>
        count > 0 && (!inLocalPart.has(delimiter) || isDelimiting(delimiter, first, lines, even)),
    );
  found.sort((one, other) => other.even * other.count - one.even * one.count);
  return found[0]?.delimiter ?? ',';
}

/** How often it stands in the first line, and in what share of the lines as often as there. */
function evenness(
  delimiter: string,
  first: string,
  lines: readonly string[],
): { count: number; even: number } {
  const count = first.split(delimiter).length - 1;
  const alike = lines.filter((line) => line.split(delimiter).length - 1 === count).length;
  return { count, even: alike / Math.max(1, lines.length) };
}

function isDelimiting(delimiter: string, first: string, lines: readonly string[], even: number): boolean {
  if (!first.includes('@')) return true; // a header
  return even > 0.9 && lines.length > 1 && !lines.every((line) => line.lastIndexOf(delimiter) === 0);
}
