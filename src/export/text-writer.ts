/**
 * Writes a text export: the stamp, the rows, the tail. Reads the stamp of one in place.
 *
 * Promises: rows are written as they come, in bounded memory; the file is on disk when it returns.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { TextFormat } from './formats/format.js';
import { isSameText } from './same-text.js';
import { formatStamp, parseStamp, type Stamp } from './stamp.js';
import { mostExamples, type WriteOptions, type Writer, type Written } from './writer.js';

const bufferChars = 1 << 16;
/** The stamp has a line for each domain. */
const longestStamp = 64 * 1024 * 1024;

export function textWriter(format: TextFormat): Writer {
  return {
    saysOnlyExists: format.saysOnlyExists,
    write: (options) => write(format, options),
    read,
    isSame: isSameText,
  };
}

function write(format: TextFormat, options: WriteOptions): Written {
  const { head, domains } = options;
  const notes = format.notes({ path: options.path, delimiters: delimitersOf(options) });
  const hash = createHash('sha256');
  const examples: string[] = [];
  let leftOut = 0;
  const fd = openSync(options.temporary, 'wx', 0o600);
  try {
    const empty = domains.map(({ domain }) => ({ domain, addresses: 0 }));
    writeAll(fd, formatStamp({ ...head, sha256: '', domains: empty }, notes));
    const out = buffered(fd, (chunk) => hash.update(chunk));
    for (const row of options.rows) {
      const line = format.line(row);
      if (line !== undefined) out.add(line);
      else if (row.again !== true && ++leftOut <= mostExamples) examples.push(`${row.local}@${row.domain}`);
    }
    for (const line of format.tail?.(domains) ?? []) out.add(line);
    out.end();
    const counts = domains.map(({ domain }) => ({ domain, addresses: options.countOf(domain) }));
    hash.update(JSON.stringify([counts, notes]));
    const stamp: Stamp = { ...head, sha256: hash.digest('hex'), domains: counts };
    // as long as the first one, to the byte
    writeAll(fd, formatStamp(stamp, notes), 0);
    fsyncSync(fd);
    return { stamp, leftOut, leftOutExamples: examples };
  } finally {
    closeSync(fd);
  }
}

function delimitersOf({ domains }: WriteOptions): string[] {
  return [...new Set(domains.flatMap(({ subaddress }) => subaddress))];
}

/** A file may take less of a write than it was given. */
function writeAll(fd: number, text: string, at?: number): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === undefined ? null : at + done);
  }
}

function buffered(fd: number, onChunk: (chunk: string) => void): { add(line: string): void; end(): void } {
  let pending: string[] = [];
  let chars = 0;
  function end(): void {
    const chunk = pending.join('');
    pending = [];
    chars = 0;
    onChunk(chunk);
    writeAll(fd, chunk);
  }
  return {
    add(line) {
      pending.push(line, '\n');
      chars += line.length + 1;
      if (chars >= bufferChars) end();
    },
    end,
  };
}

function read(path: string): ReturnType<Writer['read']> {
  const text = readComments(path);
  if (text === undefined) return 'missing';
  // somebody made it so that it belongs to the right user; there is nothing in it to lose
  if (text === '') return 'missing';
  return parseStamp(text) ?? 'foreign';
}

/** The lines before the first that is no comment, and a few more; undefined when there is no file. */
function readComments(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < longestStamp;) {
      const chunk = Buffer.alloc(bufferChars);
      const got = readSync(fd, chunk, 0, chunk.length, null);
      chunks.push(chunk.subarray(0, got));
      total += got;
      if (got === 0 || /\n[^#\n]/.test(chunk.toString('latin1', 0, got))) break;
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    closeSync(fd);
  }
}
