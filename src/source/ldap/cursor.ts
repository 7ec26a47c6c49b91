/**
 * The cursors of LDAP as text: JSON with the way of telling changes in it, so that a cursor of another way is known as such.
 * Reading one never throws: what cannot be read is a doubt of whoever asked.
 */
import { z } from 'zod';
import type { ChangesReport, Cursor } from '../source.js';
import type { Reading } from './changes.js';

/** Text by name. `containers`: the mark of those that were touched shortly before, and that the next search shows again. */
const marks = z.record(z.string(), z.string());

const schema = z.discriminatedUnion('by', [
  /** entryCSN: contextCSN by SID, by naming context; whether deletions until then are known. */
  z.object({ by: z.literal('csn'), contexts: z.record(z.string(), marks), proved: z.boolean() }),
  /** entryusn of 389-ds: the last one of each backend of one server. */
  z.object({
    by: z.literal('usn'),
    server: z.string(),
    backends: marks,
    proved: z.boolean(),
    containers: marks,
  }),
  /** modifyTimestamp: the greatest one that this server had shown, in milliseconds since 1970. */
  z.object({ by: z.literal('time'), server: z.string(), newest: z.number(), containers: marks }),
]);

export type LdapCursor = z.output<typeof schema>;

export function writeCursor(cursor: LdapCursor): Cursor {
  return JSON.stringify(cursor);
}

export function readCursor(text: Cursor): LdapCursor | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The report of a reader that will not even search: everything is read instead, and brings a cursor of its own. */
export function doubtful(reading: Reading, cursor: Cursor, doubt: string): ChangesReport {
  return { doubts: [doubt], cursor, proof: false, description: reading.who };
}
