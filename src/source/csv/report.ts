/**
 * What is said of a list that was read to its end: what it was taken for, why it may not be whole, what it cannot cover.
 *
 * Refuses (code `input`) a list without a usable address, and one most of whose rows have none.
 */
import { RollcallError } from '../../errors.js';
import type { ReadReport } from '../source.js';
import { kindGapsOf, type Gap } from './exports.js';
import type { Columns } from './header.js';
import type { CsvSourceOptions } from './options.js';
import type { Taken } from './reading.js';
import type { RowRules } from './row.js';
import type { Tally } from './tally.js';
import type { TextReader } from './text.js';
import type { UnreadCells } from './unread-cells.js';

export function makeReport(
  options: CsvSourceOptions,
  tally: Tally,
  text: TextReader,
  taken: Taken,
  rules: RowRules | undefined,
  unread: UnreadCells | undefined,
): ReadReport {
  refuseUnusable(options, tally);
  const { mayLack = [] } = options;
  const columns = rules?.columns;
  const gaps = columns === undefined ? [] : gapsIn(columns, tally);
  const reasons = [
    ...rowDoubts(options, tally, text),
    ...(unread?.doubts() ?? []),
    ...gapDoubts(gaps.filter(({ part }) => !mayLack.includes(part))),
  ];
  const description = [`${options.label}: ${String(tally.rows)} rows`, ...described(taken, rules)].join(', ');
  const lacking = gaps.filter(({ part }) => mayLack.includes(part)).map((gap) => gap.text);
  const shared = options.respectDisabled && columns?.isDisabledUnknown === true ? [disabledUnknown] : [];
  const notes = [...lacking, ...shared, ...uncovered(tally, columns, gaps), ...skipped(tally, text)];
  return { complete: reasons.length === 0, reasons, description, ...(notes.length > 0 ? { notes } : {}) };
}

function refuseUnusable({ label, maxBadPercent }: CsvSourceOptions, tally: Tally): void {
  if (tally.entries === 0) {
    const why =
      tally.rows === 0
        ? ': it has no rows'
        : tally.wildcards > 0
          ? ': whole domains and patterns are none'
          : '';
    throw new RollcallError('input', `${label}: there is no usable address in the list${why}`, {
      hint: tally.wildcards > 0 ? 'List the addresses, or set patterns or catchAll of the domain.' : '',
    });
  }
  if (isOver(tally.bad, tally, Math.max(maxBadPercent, 50))) {
    throw new RollcallError('input', `${label}: ${badRows(tally)}: this is not a list of addresses`, {
      hint: 'Mend the list, or name its columns in the configuration of the source.',
    });
  }
}

function isOver(count: number, { rows }: Tally, percent: number): boolean {
  return count * 100 > rows * percent;
}

function badRows({ bad, rows }: Tally): string {
  return `${String(bad)} of ${String(rows)} rows have no usable address`;
}

function rowDoubts({ maxBadPercent, wildcards }: CsvSourceOptions, tally: Tally, text: TextReader): string[] {
  const doubts: string[] = [];
  const limit = `more than the ${String(maxBadPercent)} % of maxBadPercent`;
  if (isOver(tally.bad, tally, maxBadPercent)) doubts.push(`${badRows(tally)}, ${limit}`);
  // one that nobody mends must not keep every leaver; where there are many, the list is written in a way we do not know
  if (isOver(tally.partial, tally, maxBadPercent)) {
    const some = `${String(tally.partial)} of ${String(tally.rows)} rows have an address that cannot be read`;
    doubts.push(`${some}, ${limit}`);
  }
  if (text.isCut)
    doubts.push(
      'the list ends within a character: it may be cut off (if it is whole, end it with a line break)',
    );
  else if (!text.endsWithBreak) doubts.push(...tally.lastRow.doubts(tally.rows));
  if (tally.placeholders > 0)
    doubts.push(
      `${counted(tally.placeholders, 'row')} with what a program wrote instead of addresses (the name of a type, dots, #NAME?)`,
    );
  if (tally.wildcards > 0 && wildcards !== 'ignore') {
    const first = `${counted(tally.wildcards, 'row')} with a whole domain or a pattern, the first in line ${String(tally.firstWildcard)}`;
    doubts.push(
      `${first}: its author wants more accepted than it names. Set patterns or catchAll of the domain, then take it out, or set wildcards to "ignore"`,
    );
  }
  if (tally.unknown > 0) {
    const first = `${counted(tally.unknown, 'row')} with an address in an unknown encoding, the first in line ${String(tally.firstUnknown)}`;
    doubts.push(`${first}: save the list as UTF-8, or set encoding`);
  } else if (text.unknown > 0 && tally.beyondAscii > 0) {
    const both = `the list is not UTF-8 throughout, and ${counted(tally.beyondAscii, 'address', 'es')} with letters beyond ASCII`;
    doubts.push(`${both} may be read wrongly: save it as UTF-8, or set encoding`);
  }
  return doubts;
}

const delimiterNames: Readonly<Record<string, string>> = {
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'bars',
  '^': 'carets',
  '~': 'tildes',
};
const encodingNames: Readonly<Record<string, string>> = {
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16 (big-endian)',
  'windows-1252': 'windows-1252',
};

function described(taken: Taken, rules: RowRules | undefined): string[] {
  const { lineList, delimiter, encoding } = taken;
  const encoded = encodingNames[encoding];
  const between = lineList === undefined ? delimiterNames[delimiter] : undefined;
  return [
    ...(lineList === undefined ? [] : [`taken for ${lineList}`]),
    ...(rules?.isPositional === true
      ? ['taken for a user list of FOPE or EOP (address, names, more addresses)']
      : []),
    ...(rules?.columns?.known === undefined ? [] : [`taken for ${rules.columns.known.name}`]),
    ...columnsUsed(rules?.columns, lineList !== undefined),
    ...(between === undefined ? [] : [`between ${between}`]),
    ...(encoded === undefined ? [] : [`in ${encoded}`]),
  ];
}

function columnsUsed(columns: Columns | undefined, isLineList: boolean): string[] {
  if (columns === undefined) return isLineList ? [] : ['addresses from every cell'];
  const names = (indexes: readonly number[]): string => {
    const all = indexes.map((index) => columns.names[index] ?? '');
    return all.length > 5
      ? `${all.slice(0, 4).join(', ')} and ${String(all.length - 4)} more`
      : all.join(', ');
  };
  const { address, aliases } = columns;
  return [
    ...(address.length === 0 ? [] : [`addresses from ${names(address)}`]),
    aliases.length === 0 ? 'no column of aliases' : `aliases from ${names(aliases)}`,
  ];
}

const disabledUnknown =
  'nobody counts as disabled: the list does not tell shared mailboxes, which get mail, from leavers (no RecipientTypeDetails); if there are none, name the column in columns.disabled';

function gapsIn({ known, kind, gaps }: Columns, tally: Tally): readonly Gap[] {
  return kind === undefined ? gaps : [...gaps, ...kindGapsOf(known, tally.kinds)];
}

/** What the program that made the list has left out of it exists all the same: to refuse it would be wrong. */
function gapDoubts(gaps: readonly Gap[]): readonly string[] {
  if (gaps.length === 0) return [];
  const parts = JSON.stringify(gaps.map(({ part }) => part));
  const how = `set mayLack: ${parts} of the source if another source has them, or if there are none`;
  return [...gaps.map(({ text }) => text), `so it takes nobody away, and makes nobody unknown: ${how}`];
}

/** What the list may not cover; `gaps` are told already. */
function uncovered(tally: Tally, columns: Columns | undefined, gaps: readonly Gap[]): readonly string[] {
  if (columns === undefined) return [];
  const { known, aliases, kind, internalOnly } = columns;
  const hasGroups = tally.kinds.has('group');
  return [
    ...(aliases.length > 0 || known !== undefined || gaps.some(({ part }) => part === 'aliases')
      ? []
      : ['there is no column of aliases: they are missing, unless another source has them']),
    ...(kind !== undefined || (known !== undefined && known.isOfAll !== true)
      ? []
      : ['there is no column of kinds: it does not tell whether groups and shared mailboxes are in it']),
    ...(kind === undefined || hasGroups || gaps.some(({ part }) => part === 'groups')
      ? []
      : ['there are no groups in it']),
    ...(internalOnly === undefined && hasGroups
      ? [
          'there is no column RequireSenderAuthenticationEnabled: groups for inside senders take mail from everybody',
        ]
      : []),
  ];
}

function skipped(tally: Tally, text: TextReader): readonly string[] {
  return [
    ...(tally.mailless === 0
      ? []
      : [`${counted(tally.mailless, 'row')} without any address skipped: no mailbox`]),
    ...(tally.comments === 0 ? [] : [`${counted(tally.comments, 'comment')} skipped`]),
    ...(text.unknown === 0
      ? []
      : [
          `it is not UTF-8 in ${counted(text.unknown, 'place')} (most likely windows-1252): of no matter in names`,
        ]),
  ];
}

function counted(count: number, what: string, plural = 's'): string {
  return `${String(count)} ${what}${count === 1 ? '' : plural}`;
}
