/**
 * A failure for which nothing in how the source is set up is to blame: the service is throttling, failing or out of reach, or does
 * not take this one question. Whoever asks again later asks the same source, with the connections and tokens that it has.
 */
import { RollcallError } from '../errors.js';

export class PassingFailure extends RollcallError {
  /** In ms: the service asks to be left alone for so long. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { hint?: string; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super('source', message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
