/**
 * Secrets: the configuration holds a reference (`{"env": "NAME"}` or `{"file": "path"}`), never the secret itself.
 *
 * Refuses a secret written into the configuration, and repeats it in no message. What is behind a reference:
 * resolve-secret.ts.
 */
import { z } from 'zod';
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
