/**
 * Which database answers, and how far it has come: what was learnt of one says nothing about another. Domain controllers of
 * one domain lag behind each other, and one that was restored lags behind itself.
 */
import { PresenceFilter } from 'ldapts';
import type { Reading } from '../changes.js';
import { guidText } from '../guid.js';
import type { Session } from '../session.js';
import { besideCatalog } from './catalog.js';
import { isGlobalCatalog } from './partitions.js';

export interface Database {
  /** The domain controller: `dsServiceName`. */
  readonly server: string;
  /** invocationId, a new one after every restore (MS-ADTS 3.1.1.1.9); empty where this account cannot read it. */
  readonly invocation: string;
  /** highestCommittedUSN; 64 bits, so text. */
  readonly usn: string;
}

/** Undefined when the server does not name itself. */
export async function databaseOf(reading: Reading): Promise<Database | undefined> {
  const [usn] = await rootDse(reading, 'highestCommittedUSN');
  const server = reading.facts.root.get('dsservicename')?.[0];
  if (usn === undefined || !/^\d{1,20}$/.test(usn) || server === undefined) return undefined;
  return { server, invocation: (await invocationOf(reading, server)) ?? '', usn };
}

/** Why a cursor of `before` means nothing `now`. */
export function unlike(before: Database, now: Database | undefined): string | undefined {
  if (now === undefined) return 'the server no longer names its database';
  if (before.server !== now.server)
    return `another domain controller answers: ${now.server}, not ${before.server}`;
  if (before.invocation !== now.invocation)
    return `${now.server} has another database (invocationId): it was restored or promoted again`;
  if (BigInt(before.usn) > BigInt(now.usn)) return `highestCommittedUSN of ${now.server} went back`;
  return undefined;
}

async function rootDse(reading: Reading, attribute: string): Promise<readonly string[]> {
  const answer = await reading.session.search({
    baseDN: '',
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [attribute],
    timeLimit: reading.options.timeLimitSeconds,
  });
  return answer.searchEntries[0]?.attributes[0]?.values.map(String) ?? [];
}

async function invocationOf(reading: Reading, server: string): Promise<string | undefined> {
  const ask = (session: Session): Promise<string | undefined> =>
    invocationBy(session, server, reading.options.timeLimitSeconds);
  if (!isGlobalCatalog(reading)) return ask(reading.session);
  const beside = await besideCatalog(reading, ask);
  return 'answer' in beside ? beside.answer : undefined;
}

async function invocationBy(
  session: Session,
  server: string,
  timeLimitSeconds: number,
): Promise<string | undefined> {
  const answer = await session.search({
    baseDN: server,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: ['invocationId'],
    timeLimit: timeLimitSeconds,
    returnAttributeValues: true,
  });
  if (answer.status !== 0) return undefined;
  return guidText(answer.searchEntries[0]?.attributes[0]?.parsedBuffers[0]);
}
