/**
 * What a global catalog cannot say of itself, asked of the same server at its ordinary port: which of our attributes it
 * holds, and which database it is.
 *
 * At the catalog's ports only the partial attribute set can be read (MS-ADTS 3.1.1.3.2), and neither invocationId nor the list of
 * that set is in it. An address attribute that it lacks would read as if nobody had one: that is a doubt, and so is not knowing.
 */
import { FilterParser, type SearchEntry } from 'ldapts';
import { messageOf } from '../../../errors.js';
import type { Reading } from '../changes.js';
import { connect } from '../connect.js';
import { anyOf, attributesIn } from '../filter.js';
import { readServerFacts } from '../server-facts.js';
import type { Session } from '../session.js';

/** Runs `use` at the ordinary port of the server of a catalog; what it gave, or why there was no answer. */
export async function besideCatalog<T>(
  reading: Reading,
  use: (session: Session) => Promise<T>,
): Promise<{ readonly answer: T } | { readonly reason: string }> {
  const url = reading.session.server.replace(/:3268\/?$/, ':389').replace(/:3269\/?$/, ':636');
  let session: Session | undefined;
  try {
    session = await connect({ ...reading.options, urls: [url] }, reading.signal);
    const facts = await readServerFacts(session, reading.options.timeLimitSeconds);
    const [here] = facts.root.get('dsservicename') ?? [];
    if (here !== reading.facts.root.get('dsservicename')?.[0])
      return { reason: `${url} is another domain controller` };
    return { answer: await use(session) };
  } catch (error) {
    reading.signal.throwIfAborted();
    return { reason: messageOf(error) };
  } finally {
    await session?.close();
  }
}

/** Why a read of this catalog may lack addresses; empty when it does not. */
export async function doubtsOfCatalog(reading: Reading): Promise<readonly string[]> {
  const found = await besideCatalog(reading, (session) => missing(session, reading));
  const mend = 'read each domain at port 636, as bases or sources of its own';
  if (attributesIn(reading.filter).some((name) => name.toLowerCase() === 'memberof'))
    return [
      `the filter asks for memberOf, and a global catalog knows the members of universal groups only: use members, or ${mend}`,
    ];
  if ('reason' in found)
    return [
      `whether the global catalog holds all that is needed cannot be checked: ${found.reason}. Or ${mend}`,
    ];
  if (found.answer.length === 0) return [];
  return [
    `the global catalog does not hold ${found.answer.join(', ')}: add it to the partial attribute set, or ${mend}`,
  ];
}

/**
 * Attributes that the forest knows and its catalogs lack. Flags matter only where disabled accounts are told apart; what the
 * filter asks for always does: nobody matches by an attribute that is not there.
 */
async function missing(session: Session, reading: Reading): Promise<string[]> {
  const { plan, options, facts } = reading;
  const read = options.respectDisabled ? plan.request : [plan.id, ...plan.addresses];
  const needed = [...new Set([...read, ...attributesIn(reading.filter)])];
  const answer = await session.search({
    baseDN: facts.root.get('schemanamingcontext')?.[0] ?? '',
    scope: 'one',
    filter: FilterParser.parseString(anyOf(needed.map((name) => `(lDAPDisplayName=${name})`))),
    attributes: ['lDAPDisplayName', 'isMemberOfPartialAttributeSet'],
    timeLimit: options.timeLimitSeconds,
  });
  if (answer.status !== 0) throw new Error(`its schema cannot be read (result ${String(answer.status)})`);
  const lacking = answer.searchEntries.filter(
    (entry) => valueOf(entry, 'isMemberOfPartialAttributeSet') !== 'TRUE',
  );
  return lacking.flatMap((entry) => valueOf(entry, 'lDAPDisplayName') ?? []);
}

function valueOf(entry: SearchEntry, name: string): string | undefined {
  const found = entry.attributes.find(({ type }) => type.toLowerCase() === name.toLowerCase());
  return found?.values[0]?.toString();
}
