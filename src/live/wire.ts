/**
 * The protocol on control's live socket: lines of JSON, one for each question and one for each answer, in any order.
 *
 *     → {"v":1,"id":7,"source":"staff","address":"ada@example.com","look":false}
 *     ← {"v":1,"id":7,"kind":"not-found","forMs":600000}
 *
 * Promises: every line is bounded, and reading one never throws. What is not this protocol, another version of it included, is
 * `undefined`; whoever reads it closes the connection and guesses nothing.
 */
import type { LiveAnswer, LiveClaim, LiveQuestion } from './answer.js';

const version = 1;

/** In bytes; unix(7): sun_path holds 108, one of them NUL. What is longer is cut without an error, and is another socket. */
export const maxSocketPath = 107;

/** An address has at most 1,000 characters; escapes make six of one. */
export const maxQuestion = 8192;
export const maxAnswer = 65_536;
/** The kindest first: of more than these nothing would change. */
export const maxClaims = 16;

const maxName = 1000;
const maxSpelling = 3000;
const maxForMs = 86_400_000;

export interface Numbered<T> {
  /** Chosen by the asker; comes back with the answer. */
  readonly id: number;
  readonly body: T;
}

export function encodeQuestion(id: number, question: LiveQuestion): string {
  return `${JSON.stringify({ v: version, id, ...question })}\n`;
}

export function encodeAnswer(id: number, answer: LiveAnswer): string {
  return `${JSON.stringify({ v: version, id, ...answer })}\n`;
}

export function decodeQuestion(line: string): Numbered<LiveQuestion> | undefined {
  const [id, fields] = numbered(line);
  const { source, address, look } = fields;
  if (id === undefined || !isText(source, maxName) || !isText(address, maxName)) return undefined;
  return typeof look === 'boolean' ? { id, body: { source, address, look } } : undefined;
}

export function decodeAnswer(line: string): Numbered<LiveAnswer> | undefined {
  const [id, fields] = numbered(line);
  const body = id === undefined ? undefined : answerOf(fields);
  return id === undefined || body === undefined ? undefined : { id, body };
}

type Fields = Readonly<Record<string, unknown>>;

function numbered(line: string): [number | undefined, Fields] {
  const fields = parse(line);
  const id = fields['v'] === version ? fields['id'] : undefined;
  return [Number.isSafeInteger(id) ? (id as number) : undefined, fields];
}

function parse(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

function answerOf({ kind, forMs, claims }: Fields): LiveAnswer | undefined {
  if (kind === 'found') return isClaims(claims) ? { kind, claims } : undefined;
  if (kind !== 'not-found' && kind !== 'limited' && kind !== 'no-answer') return undefined;
  if (typeof forMs !== 'number' || !(forMs >= 0 && forMs <= maxForMs)) return undefined;
  return { kind, forMs };
}

function isClaims(value: unknown): value is readonly LiveClaim[] {
  return Array.isArray(value) && value.length > 0 && value.length <= maxClaims && value.every(isClaim);
}

function isClaim(value: unknown): value is LiveClaim {
  if (typeof value !== 'object' || value === null) return false;
  const { flags, spelling } = value as Fields;
  const isFlags = typeof flags === 'number' && Number.isInteger(flags) && flags >= 0 && flags <= 3;
  return isFlags && (spelling === null || isText(spelling, maxSpelling));
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max;
}
