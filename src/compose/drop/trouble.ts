/** Trouble with one folder in the log: when it begins, when it changes, and when it is over; not at every look. */
import { asRollcallError } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';

/** Told what went wrong at each look; undefined: nothing did. */
export type Trouble = (error: unknown) => void;

export function troubleOf(source: string, log: Logger): Trouble {
  let told: string | undefined;
  return (error) => {
    if (error === undefined) {
      if (told !== undefined) log.info({ source }, 'folder can be used again');
      told = undefined;
      return;
    }
    const { code, message, hint } = asRollcallError(error);
    if (message === told) return;
    told = message;
    // another process takes from it: the command line, for a moment
    if (code === 'conflict') log.info({ source, err: message }, 'folder left alone for now');
    else log.error({ source, code, err: message, ...(hint !== '' && { hint }) }, 'folder cannot be used');
  };
}
