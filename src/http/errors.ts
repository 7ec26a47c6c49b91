/**
 * Failures as HTTP tells them: `{"error": {"code", "message", "hint"}}`, and never more than that.
 *
 * Promises no stack, no path of a defect, no secret: what is not a RollcallError or a refusal of the server itself is an
 * `internal` with a request id to look for in the log.
 */
import type { ErrorCode } from '../errors.js';
import { messageOf, RollcallError } from '../errors.js';
import type { RunRecord } from '../store/store.js';
import { TooLargeError } from './spool.js';

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string };
}

/** RFC 9110 §15. */
const statusOfCode = {
  usage: 400,
  input: 422,
  'not-found': 404,
  conflict: 409,
  source: 502,
  store: 503,
  unauthorized: 401,
  config: 500,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** A refusal with a status of its own. */
export class HttpError extends RollcallError {
  constructor(
    readonly status: number,
    code: ErrorCode,
    message: string,
    hint = '',
  ) {
    super(code, message, { hint });
  }
}

export interface Failure {
  readonly status: number;
  readonly body: ErrorBody;
  /** A defect, or a failure of ours: to be logged with its cause. */
  readonly isOurs: boolean;
}

export function failureOf(error: unknown, requestId: string): Failure {
  if (error instanceof RollcallError) {
    const status = statusOfError(error);
    return { status, body: bodyOf(error.code, error.message, error.hint), isOurs: status >= 500 };
  }
  const status = statusOfServer(error);
  if (status !== undefined) return { status, body: bodyOf('usage', messageOf(error), ''), isOurs: false };
  const message = 'something went wrong inside Rollcall';
  return {
    status: 500,
    body: bodyOf('internal', message, `Look for ${requestId} in its log.`),
    isOurs: true,
  };
}

function statusOfError(error: RollcallError): number {
  if (error instanceof HttpError) return error.status;
  return error instanceof TooLargeError ? 413 : statusOfCode[error.code];
}

/** What the framework refuses by itself (malformed JSON, too large a body…) carries its status. */
function statusOfServer(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

export function bodyOf(code: ErrorCode, message: string, hint: string): ErrorBody {
  return { error: { code, message, hint } };
}

/** 200 done, 202 held for approval, 409 a settlement that did not count, 422 refused, 502 the source failed. */
export function statusOfRun({ state, kind }: RunRecord): number {
  if (state === 'held' || state === 'partly-held') return 202;
  if (state === 'refused') return 422;
  if (state === 'failed' || state === 'interrupted')
    return kind === 'approve' || kind === 'rollback' ? 409 : 502;
  return 200;
}

/** The error beside the record of a run that did not do what was asked. */
export function errorOfRun(record: RunRecord): ErrorBody | undefined {
  const status = statusOfRun(record);
  if (status < 400) return undefined;
  const code = status === 422 ? 'input' : status === 502 ? 'source' : 'conflict';
  return bodyOf(code, record.reasons.join('; '), 'The list in force stays as it was.');
}
