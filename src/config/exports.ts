/**
 * Map files for mail servers that cannot ask, as configured.
 *
 * Refuses a hook that is one text: it is run without a shell, and quoting is nobody's guess.
 */
import { z } from 'zod';
import { duration, path, percent, strict, text, word } from './scalars.js';

const argument = z
  .string({ error: 'must be text' })
  .min(1, { error: 'must not be empty' })
  .max(4096, { error: 'must have at most 4096 characters' })
  .refine((value) => !value.includes('\0'), { error: 'must not hold a NUL' });
const commandError =
  'must be a list: the program and its arguments, such as ["postmap", "lmdb:/etc/postfix/recipients"]';

const modeError = 'must be an octal mode such as "0640" or "0644", not writable by everybody';
const mode = z
  .codec(z.string({ error: modeError }).regex(/^0?[4-7][0-7][0145]$/, { error: modeError }), z.number(), {
    decode: (value) => Number.parseInt(value, 8),
    encode: (value) => value.toString(8).padStart(4, '0'),
  })
  .meta({ 'x-type': 'octal mode' });

function account(what: 'user' | 'group') {
  const error = `must be the name or the number of a ${what}`;
  const name = z.string({ error }).regex(/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,255}\$?$/, { error });
  return z
    .union([name, z.int().min(0).max(4_294_967_294)], { error })
    .meta({ 'x-type': `${what}, or its number` });
}

export const exportSchema = strict({
  format: word(['texthash', 'sqlite', 'lsearch', 'sendmail-access', 'opensmtpd', 'plain']).describe(
    '`texthash`: Postfix, also the source of `lmdb`, `cdb` and `hash`; `sqlite`: Postfix `sqlite:`, with its `.cf`, and Exim; `lsearch`: Exim; `sendmail-access`, `opensmtpd`, `plain`',
  ),
  path: path('the file to write').describe('The file. It is replaced whole; mode and owner are kept'),
  mode: mode.prefault('0640').describe('Of a new file: who may read it. A file that is there keeps its own'),
  owner: account('user').optional().describe('Of a new file; default: the user that Rollcall runs as'),
  group: account('group')
    .optional()
    .describe(
      'Of a new file, such as one that the mail server is in; Rollcall’s user must be in it, or be root',
    ),
  domains: z
    .array(text('a domain', 255), { error: 'must be a list of domains' })
    .min(1, { error: 'must name at least one domain' })
    .optional()
    .describe(
      'The domains in it; default: all of the tenant. Only domains that enforce a list without wildcards can be in a file',
    ),
  tenant: text('the name of a tenant', 63).default('default').describe('The tenant whose domains these are'),
  maxShrinkPercent: percent(100)
    .default(50)
    .describe(
      'A domain that would lose more than this (and more than 10 addresses) keeps the file as it was, until `rollcall export --force`',
    ),
  hook: strict({
    command: z
      .tuple([argument], argument, { error: commandError })
      .describe('Program and arguments, run without a shell after each change, again until it succeeds'),
    timeout: duration('1s', '1h').prefault('60s').describe('It is ended after so long'),
  })
    .optional()
    .describe('A command to run when the file has changed, such as `postmap` or rsync'),
});

export type ExportConfig = z.output<typeof exportSchema>;
