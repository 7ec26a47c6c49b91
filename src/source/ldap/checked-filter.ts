/** The configured search filter (RFC 4515), or the preset's, in the form that ldapts takes. */
import { FilterParser } from 'ldapts';
import { messageOf, RollcallError } from '../../errors.js';
import type { LdapSourceOptions } from './options.js';
import { presets } from './preset.js';

/**
 * The filter with the white space between its parts taken out: ldapts refuses it there, and people write it. Throws a
 * RollcallError `config` when it cannot be parsed.
 */
export function checkedFilter(options: LdapSourceOptions): string {
  return readable(options, 'filter', options.filter ?? presets[options.preset].filter);
}

/** The options with the filter of what is left out in the same form. Throws as `checkedFilter` does. */
export function withCheckedExclude(options: LdapSourceOptions): LdapSourceOptions {
  const { excludeFilter } = options;
  if (excludeFilter === undefined) return options;
  return { ...options, excludeFilter: readable(options, 'exclude.filter', excludeFilter) };
}

function readable(options: LdapSourceOptions, what: string, written: string): string {
  try {
    const filter = withPlainText(
      written
        .trim()
        .replace(/\)\s+(?=[()])/g, ')')
        .replace(/\(\s*([&|!])\s*\(/g, '($1('),
    );
    FilterParser.parseString(filter);
    return filter;
  } catch (error) {
    const where = `source ${options.name}: the ${what} ${written} cannot be read`;
    throw new RollcallError('config', `${where}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Escaped octets beyond ASCII, as the text they are: ldapts takes each for a character of its own, so that `M\c3\bcnchen`
 * would match nobody. Throws for octets that are no UTF-8, which it cannot send at all.
 */
function withPlainText(filter: string): string {
  return filter.replace(/(?:\\[89a-f][0-9a-f])+/gi, (escaped) => {
    const octets = Buffer.from(escaped.replaceAll('\\', ''), 'hex');
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  });
}
