/**
 * Requests of one line each (tcp, readsocket).
 *
 * Promises the same lines however the bytes are cut into packets, and memory bounded by `maxLineBytes`. The line end is LF;
 * a CR before it is taken off. Refuses, for good, a line that is too long and whatever `read` does not know.
 */
import type { RequestParser } from './exchange.js';

export interface LineParserOptions<Request> {
  /** With its line end. */
  readonly maxLineBytes: number;
  /** A line (one character an octet) as a request; undefined: it is not the protocol. */
  readonly read: (line: string) => Request | undefined;
  /** Whether the end of what the client sends ends its last line too. */
  readonly endIsLineEnd?: boolean;
}

export function createLineParser<Request>(options: LineParserOptions<Request>): RequestParser<Request> {
  const { maxLineBytes, read } = options;
  let kept = '';

  function push(chunk: Buffer, onRequest: (request: Request) => void): string | undefined {
    const data = kept + chunk.toString('latin1');
    let start = 0;
    for (let end = data.indexOf('\n', kept.length); end !== -1; end = data.indexOf('\n', start)) {
      const problem = take(data.slice(start, end), onRequest);
      if (problem !== undefined) return fail(problem);
      start = end + 1;
    }
    if (data.length - start >= maxLineBytes) return fail(tooLong);
    // A copy: a slice would keep the whole packet's memory alive.
    kept = start === data.length ? '' : Buffer.from(data.slice(start), 'latin1').toString('latin1');
    return undefined;
  }

  function take(line: string, onRequest: (request: Request) => void): string | undefined {
    if (line.length >= maxLineBytes) return tooLong;
    const request = read(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (request === undefined) return 'not a request of this protocol';
    onRequest(request);
    return undefined;
  }

  function end(onRequest: (request: Request) => void): string | undefined {
    const line = kept;
    if (line === '' || options.endIsLineEnd !== true) return undefined;
    kept = '';
    return take(line, onRequest);
  }

  function fail(problem: string): string {
    kept = '';
    return problem;
  }

  return { push, end, pending: () => kept !== '' };
}

const tooLong = 'request too long';
