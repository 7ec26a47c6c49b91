/**
 * Secrets: the configuration holds a reference (`{"env": "NAME"}` or `{"file": "path"}`), never the secret itself.
 *
 * Promises that no message of this file contains a secret, and that a secret is read only when a composition root asks
 * for it. Refuses a secret written into the configuration, and an empty one: an LDAP bind with an empty password
 * succeeds as anonymous (RFC 4513 §5.1.2).
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, RollcallError } from '../errors.js';
import { path } from './scalars.js';

const expected =
  'a secret does not belong in this file: write {"env": "NAME"} for an environment variable or {"file": "path"} ' +
  'for a file only Rollcall can read';

const environmentName = z
  .string({ error: 'must be the name of an environment variable' })
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
    error: 'must be the name of an environment variable, such as LDAP_PASSWORD',
  });

export const secretSchema = z
  .union(
    [
      z.strictObject({
        env: environmentName.describe('Name of the environment variable that holds the secret'),
      }),
      z.strictObject({
        file: path('a file').describe('File that holds the secret; one newline at its end is dropped'),
      }),
    ],
    { error: expected },
  )
  .meta({ 'x-type': 'secret: `{"env": "NAME"}` or `{"file": "path"}`', 'x-leaf': true });

export type SecretReference = z.output<typeof secretSchema>;

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
