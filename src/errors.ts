/**
 * The error codes and the one error class.
 *
 * Every failure that a person may see is a RollcallError: a code from the short list below (tests and exit statuses
 * rely on it), a sentence that says what went wrong and where, and, when there is one, how to mend it. Anything else
 * that is thrown is a defect in Rollcall and is reported as `internal`.
 */

export const errorCodes = [
  'usage', // the command line or the request is not understood
  'config', // the configuration is wrong
  'input', // an uploaded list or a request body is wrong
  'not-found', // no such source, run, token…
  'conflict', // a lease is held, a hash does not match, a plan has changed
  'source', // the directory is down, refuses us, or its answer cannot be trusted
  'store', // the database is newer than the program, damaged, or cannot be written
  'unauthorized', // no token, an unknown one, or one without the right
  'internal', // a defect
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class RollcallError extends Error {
  override readonly name = 'RollcallError';
  readonly code: ErrorCode;
  /** How to mend it, as one sentence; empty when the message says it already. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? '';
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Anything thrown, as a RollcallError: its own code when it has one, else `fallback`. */
export function asRollcallError(error: unknown, fallback: ErrorCode = 'internal'): RollcallError {
  if (error instanceof RollcallError) return error;
  return new RollcallError(fallback, messageOf(error), { cause: error });
}
