/**
 * The cursor of an Active Directory source as text: which way of telling changes, of which database, and how
 * far it has come.
 *
 * Refuses what it did not write itself with undefined; that is a doubt, and then everything is read.
 */
import { z } from 'zod';

const base64 = z.string().regex(/^[A-Za-z0-9+/]+=*$/);

/** As in database.ts. */
const database = { server: z.string(), invocation: z.string(), usn: z.string().regex(/^\d{1,20}$/) };

const cursorSchema = z.discriminatedUnion('way', [
  z.object({
    version: z.literal(1),
    way: z.literal('dirsync'),
    ...database,
    flags: z.number().int(),
    /** One cookie for each partition. */
    cookies: z.array(z.object({ root: z.string(), cookie: base64 })).min(1),
  }),
  z.object({
    version: z.literal(1),
    way: z.literal('usn'),
    ...database,
    roots: z.array(z.string()).min(1),
  }),
]);

export type AdCursor = z.output<typeof cursorSchema>;
export type DirSyncCursor = Extract<AdCursor, { way: 'dirsync' }>;
export type UsnCursor = Extract<AdCursor, { way: 'usn' }>;

export function writeCursor(cursor: AdCursor): string {
  return JSON.stringify(cursor);
}

export function readCursor(text: string): AdCursor | undefined {
  try {
    return cursorSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
