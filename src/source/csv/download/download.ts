/**
 * The source `csv` by download: a list behind an https address, asked for anew only when it has changed.
 *
 * Promises: a list is read only when all of it has come; what the server calls unchanged (304, or the same bytes again) is a
 * proof that the list is as before, because a cursor is given only with a complete read; the changed list that `changes` met
 * is not downloaded again by `read`. Refuses what is no list as any CSV source does. A transfer whose end nothing marks is
 * read, and does not count as complete.
 */
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { RollcallError } from '../../../errors.js';
import { deadlineOf } from '../../deadline.js';
import type { Change, ChangesReport, Cursor, Entry, ReadContext, ReadReport, Source } from '../../source.js';
import { createCsvSource } from '../csv-source.js';
import type { CsvSourceOptions } from '../options.js';
import { conditionsOf, isTooOld, readCursor, validatorsOf, writeCursor, type Known } from './cursor.js';
import { labelOf, type DownloadOptions } from './options.js';
import { dispatcherFor, get, type Answer } from './request.js';
import { spoolUnnamed, type Spooled } from './spool.js';
import { explainTrouble, refuseStatus } from './trouble.js';

/** A list that has come whole. */
interface Downloaded {
  readonly spooled: Spooled;
  readonly cursor: Cursor;
  readonly sha256: string;
  /** The transfer said where it ends. */
  readonly isWhole: boolean;
}

export type CsvReadingOptions = Omit<CsvSourceOptions, 'open' | 'label'>;

/** Throws `config` as createCsvSource does. */
export function createCsvDownload(options: DownloadOptions, reading: CsvReadingOptions): Source {
  const label = labelOf(options);
  let waiting: Downloaded | undefined;

  async function* read(context: ReadContext): AsyncGenerator<readonly Entry[], ReadReport, void> {
    const list = waiting ?? (await download(options, undefined, context.signal));
    waiting = undefined;
    if (list === 'unchanged') throw refuseStatus(label, 304);
    try {
      const source = createCsvSource({ ...reading, label, open: () => list.spooled.open() });
      return withCursor(yield* source.read(context), list);
    } finally {
      await list.spooled.close();
    }
  }

  async function* changes(
    context: ReadContext,
    cursor: Cursor,
  ): AsyncGenerator<readonly Change[], ChangesReport, void> {
    const known = readCursor(cursor, options.url);
    const describe = (what: string) => ({ cursor, description: `${label}: ${what}` });
    if (known === undefined) {
      return { ...describe('not asked'), doubts: ['what was last read came from elsewhere'], proof: false };
    }
    if (isTooOld(known, (options.now ?? Date.now)())) {
      const doubts = ['it is a day since the whole list was compared'];
      return { ...describe('not asked'), doubts, proof: false };
    }
    yield [];
    const list = await download(options, known, context.signal);
    if (list === 'unchanged') return { ...describe('not changed'), doubts: [], proof: true };
    if (list.sha256 === known.sha256 && list.isWhole) {
      await list.spooled.close();
      return { ...describe('the same list again'), cursor: list.cursor, doubts: [], proof: true };
    }
    await forget();
    waiting = list;
    return { ...describe('changed'), doubts: ['the list has changed'], proof: false };
  }

  async function forget(): Promise<void> {
    const list = waiting;
    waiting = undefined;
    await list?.spooled.close();
  }

  // refuses wrong options now, not at the first read
  createCsvSource({ ...reading, label, open: () => Promise.reject(new Error('not read')) });
  return { read, changes, close: forget };
}

function withCursor(report: ReadReport, { cursor, isWhole }: Downloaded): ReadReport {
  const unmarked =
    'the server did not say where the list ends: it may be cut off (Content-Length is missing)';
  const reasons = isWhole ? report.reasons : [...report.reasons, unmarked];
  const complete = report.complete && isWhole;
  return { ...report, complete, reasons, ...(complete && { cursor }) };
}

/** The list, or that it is the known one still. Throws `source`, `input`, `store`; the reason of an aborted signal. */
async function download(
  options: DownloadOptions,
  known: Known | undefined,
  signal: AbortSignal,
): Promise<Downloaded | 'unchanged'> {
  const label = labelOf(options);
  const dispatcher = dispatcherFor(options);
  const deadline = deadlineOf(options.timeoutMs, signal);
  try {
    const conditions = known === undefined ? {} : conditionsOf(known);
    const answer = await get(options, conditions, dispatcher, deadline.signal);
    if (answer.status === 304 && Object.keys(conditions).length > 0) return 'unchanged';
    if (answer.status !== 200) throw refuseStatus(label, answer.status);
    return await receive(options, answer, known);
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.signal.aborted) throw explainTrouble(label, error);
    const seconds = String(Math.ceil(options.timeoutMs / 1000));
    throw new RollcallError('source', `${label}: the download took longer than ${seconds} s`, {
      hint: 'Raise `timeout` of the source if it must.',
      cause: error,
    });
  } finally {
    deadline.done();
    await dispatcher.destroy();
  }
}

async function receive(
  options: DownloadOptions,
  answer: Answer,
  known: Known | undefined,
): Promise<Downloaded> {
  const label = labelOf(options);
  const { url, maxBytes, spoolFolder, now = Date.now } = options;
  const encoding = (answer.header('content-encoding') ?? '').trim().toLowerCase() || 'identity';
  const spooled = await spoolUnnamed(decoded(answer, encoding, label), {
    ...{ folder: spoolFolder, maxBytes, label },
  });
  const { sha256 } = spooled;
  // the same list again is not compared
  const readAt = known?.sha256 === sha256 ? known.readAt : now();
  return {
    ...{ spooled, sha256 },
    cursor: writeCursor({ url, sha256, readAt, ...validatorsOf(answer) }),
    // the end of packed data is marked inside (RFC 1952 §2.3.1); RFC 9112 §6.3: not chunked, it ends with the connection
    isWhole:
      encoding !== 'identity' ||
      answer.header('content-length') !== undefined ||
      /\bchunked\s*$/i.test(answer.header('transfer-encoding') ?? ''),
  };
}

/** Who reads a stream is told of its error; before the reading has begun it would end the process. */
const nobodyElse = (): void => undefined;

function decoded({ body }: Answer, encoding: string, label: string): AsyncIterable<Buffer> {
  body.on('error', nobodyElse);
  if (encoding === 'identity') return body;
  // RFC 9110 §8.4.1.3: x-gzip is the same
  if (encoding === 'gzip' || encoding === 'x-gzip') {
    const unpacked = createGunzip().on('error', nobodyElse);
    return pipeline(body, unpacked, () => undefined);
  }
  throw new RollcallError('source', `${label}: content encoding ${encoding.slice(0, 40)} is not understood`);
}
