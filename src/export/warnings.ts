/** What a file cannot say and says more kindly, or what its reader cannot do: one sentence each. Pure. */
import type { Format } from './formats.js';
import type { Tally } from './walk.js';
import type { Written } from './writer.js';

export interface WarningsInput {
  readonly format: Format;
  readonly tally: Tally;
  readonly written: Written;
}

export function warningsOf({ format, tally, written }: WarningsInput): string[] {
  const { removed, internalOnly, delimited, delimitedExample } = tally;
  const { leftOut, leftOutExamples, stamp } = written;
  const total = stamp.domains.reduce((sum, { addresses }) => sum + addresses, 0);
  return [
    ...(leftOut > 0
      ? [
          `${leftOut} addresses cannot be written in this format, and the mail server will refuse them: ${leftOutExamples.join(', ')}`,
        ]
      : []),
    ...(removed > 0 && format.writer.saysOnlyExists
      ? [
          `${removed} addresses removed lately are taken, not deferred: this format can only say that they exist`,
        ]
      : []),
    ...(internalOnly > 0
      ? [
          `${internalOnly} addresses that take mail from inside only are taken from everybody: a file knows no senders`,
        ]
      : []),
    ...(delimited > 0
      ? [
          `${delimited} addresses hold a subaddress delimiter themselves, such as ${delimitedExample ?? ''}: a mail server that cuts at the first one refuses their subaddresses`,
        ]
      : []),
    ...(tally.unspelled > 0
      ? [
          `${tally.unspelled} addresses have more spellings than are written, by the case of letters beyond ASCII, such as ${tally.unspelledExample ?? ''}: the mail server refuses the unusual ones`,
        ]
      : []),
    ...(format.slowFrom !== undefined && total >= format.slowFrom
      ? [`${total} addresses are many for a mail server that searches the file line by line`]
      : []),
  ];
}
