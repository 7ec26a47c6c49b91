/**
 * The mail servers for which there are snippets, and the choice of the way to ask.
 *
 * Pure: facts in, lines out. Throws `usage` for a mail server or door that there is not, `config` when what it needs is not
 * configured, saying what to add.
 */
import { RollcallError } from '../../errors.js';
import { eximWays } from './exim.js';
import type { Facts, Snippet, Way } from './facts.js';
import { harakaWays } from './haraka.js';
import type { Mta } from './mtas.js';
import { opensmtpdWays } from './opensmtpd.js';
import { postfixWays } from './postfix.js';
import { sendmailWays } from './sendmail.js';

const waysOf: Readonly<Record<Mta, readonly Way[]>> = {
  postfix: postfixWays,
  exim: eximWays,
  sendmail: sendmailWays,
  opensmtpd: opensmtpdWays,
  haraka: harakaWays,
};

/** The lines for the best way that is configured, or for the door that is named. */
export function makeSnippet(mta: Mta, facts: Facts, door?: string): Snippet {
  const wanted: readonly Way[] = waysOf[mta].filter((way) => door === undefined || way.door === door);
  if (wanted.length === 0) {
    const doors = waysOf[mta].map((way) => way.door).join(', ');
    throw new RollcallError('usage', `${mta} does not ask through the door ${door ?? ''}`, {
      hint: `It asks through: ${doors}.`,
    });
  }
  for (const way of wanted) {
    const body = way.make(facts);
    if (body !== undefined) return { mta, door: way.door, ...body };
  }
  throw new RollcallError('config', `nothing that ${mta} can ask is configured: ${names(wanted)}`, {
    hint: `Add under \`edges\`: ${exampleOf(wanted)}`,
  });
}

/** The other ways of this mail server: whether they are configured, and what to add. */
export function otherWays(
  mta: Mta,
  facts: Facts,
  taken: string,
): { readonly door: string; readonly configured: boolean; readonly example: string }[] {
  return waysOf[mta]
    .filter(({ door }) => door !== taken)
    .map(({ door, example }) => ({ door, example, configured: isConfigured(facts, door) }));
}

function isConfigured(facts: Facts, door: string): boolean {
  return door === 'export' ? (facts.exports ?? []).length > 0 : (facts.doors[door] ?? []).length > 0;
}

function names(ways: readonly Way[]): string {
  const doors = ways.filter(({ door }) => door !== 'export').map(({ door }) => door);
  const files = ways.some(({ door }) => door === 'export') ? ['no export in its format'] : [];
  return [...(doors.length > 0 ? [`no door ${doors.join(', ')}`] : []), ...files].join(', and ');
}

function exampleOf(ways: readonly Way[]): string {
  return ways.find(({ example }) => example !== '')?.example ?? 'see `exports` in docs/configuration.md';
}
