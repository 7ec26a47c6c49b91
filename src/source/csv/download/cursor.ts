/**
 * What is remembered of a list that was downloaded: how to ask whether it has changed, and what it was.
 *
 * Promises: a cursor that cannot be read is none. Refuses to ask by a date when the list may have changed again within the
 * same second: then the whole list comes, and its hash tells.
 */
import type { Cursor } from '../../source.js';
import type { Answer } from './request.js';

export interface Known {
  /** As configured: a cursor of another address says nothing. */
  readonly url: string;
  readonly sha256: string;
  /** RFC 9110 §8.8.3. */
  readonly etag: string | undefined;
  /** RFC 9110 §8.8.2; only where it is safe to ask by it. */
  readonly lastModified: string | undefined;
  /** When it was last read and compared. Milliseconds since the epoch. */
  readonly readAt: number;
}

const trustedMs = 86_400_000;

/**
 * Whether the list is to be read again whatever the server says: it may say "unchanged" of what has changed, and removals may
 * have been held that nobody sees again while nothing is compared.
 */
export function isTooOld({ readAt }: Known, now: number): boolean {
  return !(Math.abs(now - readAt) < trustedMs);
}

export function writeCursor(known: Known): Cursor {
  return JSON.stringify(known);
}

/** Undefined when it is not one of ours, or of another address. */
export function readCursor(cursor: Cursor, url: string): Known | undefined {
  try {
    const found = JSON.parse(cursor) as Partial<Known> | null;
    if (found?.url !== url || typeof found.sha256 !== 'string') return undefined;
    const { sha256, etag, lastModified, readAt = 0 } = found; // 0: the cursor of an older version
    return { url, sha256, etag: textOf(etag), lastModified: textOf(lastModified), readAt };
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function conditionsOf({ etag, lastModified }: Known): Record<string, string> {
  // RFC 9110 §13.1.3: with If-None-Match the other is ignored
  if (etag !== undefined) return { 'if-none-match': etag };
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified };
}

const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]{0,500}"$/;
const safeAgeMs = 60_000;

export function validatorsOf({ header }: Answer): Pick<Known, 'etag' | 'lastModified'> {
  const etag = header('etag');
  return {
    etag: etag !== undefined && entityTag.test(etag) ? etag : undefined,
    lastModified: safeDate(header('last-modified'), header('date')),
  };
}

/** RFC 9110 §8.8.2.2: a date is strong only when it was long past as the answer was made. */
function safeDate(lastModified: string | undefined, date: string | undefined): string | undefined {
  if (lastModified === undefined || date === undefined) return undefined;
  return Date.parse(date) - Date.parse(lastModified) >= safeAgeMs ? lastModified : undefined;
}
