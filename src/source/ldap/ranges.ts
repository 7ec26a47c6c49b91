/**
 * Fetches the rest of attributes that came in part: Active Directory gives 1,500 values at a time, as
 * `proxyAddresses;range=0-1499` (MS-ADTS 3.1.1.3.1.3.3).
 *
 * Promises: all values, or a doubt. Ends when the server stops making progress.
 */
import { PresenceFilter, type Attribute } from 'ldapts';
import { messageOf } from '../../errors.js';
import { addAddresses, type Mapped, type Range } from './mapping.js';
import type { Session } from './session.js';

const maxRounds = 1000; // 1.5 million values of one entry

/** Adds the missing values to `mapped`; returns why some may still be missing. */
export async function fetchRanges(
  session: Session,
  mapped: Mapped,
  timeLimitSeconds: number,
): Promise<string[]> {
  const doubts: string[] = [];
  for (const range of mapped.ranges) {
    const missing = await fetchRange(session, mapped, range, timeLimitSeconds);
    if (missing !== undefined) doubts.push(`${mapped.dn}: not all values of ${range.attribute}: ${missing}`);
  }
  return doubts;
}

async function fetchRange(
  session: Session,
  mapped: Mapped,
  range: Range,
  timeLimitSeconds: number,
): Promise<string | undefined> {
  let next: number | undefined = range.next;
  for (let round = 0; next !== undefined; round += 1) {
    if (round === maxRounds) return `more than ${String(maxRounds)} parts`;
    const part = await fetchPart(session, mapped.dn, range.attribute, next, timeLimitSeconds);
    if (typeof part === 'string') return part;
    addAddresses(part.attribute, range.attribute, mapped.values);
    if (part.next !== undefined && part.next <= next) return 'the server repeats itself';
    next = part.next;
  }
  return undefined;
}

/** The values from one index on, or why they did not come. */
export async function fetchPart(
  session: Session,
  dn: string,
  name: string,
  from: number,
  timeLimitSeconds: number,
): Promise<{ attribute: Attribute; next: number | undefined } | string> {
  const answer = await session
    .search({
      baseDN: dn,
      scope: 'base',
      filter: new PresenceFilter({ attribute: 'objectClass' }),
      attributes: [`${name};range=${String(from)}-*`],
      timeLimit: timeLimitSeconds,
    })
    .catch((error: unknown) => messageOf(error));
  if (typeof answer === 'string') return answer;
  if (answer.status !== 0) return `result ${String(answer.status)}`;
  const wanted = new RegExp(`^${name};range=${String(from)}-(\\d+|\\*)$`, 'i');
  for (const attribute of answer.searchEntries[0]?.attributes ?? []) {
    const end = wanted.exec(attribute.type)?.[1];
    if (end !== undefined) return { attribute, next: end === '*' ? undefined : Number(end) + 1 };
  }
  return `the server did not send the values from ${String(from)}`;
}
