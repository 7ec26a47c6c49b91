/** Certificates are read when they are used, never before. */
import { readFileSync } from 'node:fs';
import { messageOf, RollcallError } from '../../errors.js';

/** Throws `config` when it cannot be read. */
export function readCertificate(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `${option}: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
