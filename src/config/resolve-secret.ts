/**
 * The secret behind a reference of the configuration, without the schema: threads that read one source do not load all of it.
 *
 * Promises that no message contains a secret, and that one is read only when a composition root asks for it. Refuses an
 * empty one: an LDAP bind with an empty password succeeds as anonymous (RFC 4513 §5.1.2).
 */
import { readFileSync } from 'node:fs';
import { messageOf, RollcallError } from '../errors.js';
import type { SecretReference } from './secret.js';

export interface SecretSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file as UTF-8; throws as node:fs does. */
  readonly readFile: (path: string) => string;
}

const surroundings: SecretSurroundings = { env: process.env, readFile: (file) => readFileSync(file, 'utf8') };

/**
 * The secret behind a reference. `option` is the path of the option, for the error: a RollcallError `config` that names
 * the option and where the secret should have been.
 */
export function resolveSecret(
  reference: SecretReference,
  option: string,
  { env, readFile }: SecretSurroundings = surroundings,
): string {
  const where = 'env' in reference ? `environment variable ${reference.env}` : `file ${reference.file}`;
  const value = 'env' in reference ? env[reference.env] : fromFile(reference.file, option, readFile);
  if (value === undefined) throw new RollcallError('config', `${option}: ${where} is not set`);
  if (value === '') throw new RollcallError('config', `${option}: ${where} is empty: a secret must not be`);
  return value;
}

function fromFile(file: string, option: string, readFile: (path: string) => string): string {
  try {
    return readFile(file).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new RollcallError('config', `${option}: file ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
