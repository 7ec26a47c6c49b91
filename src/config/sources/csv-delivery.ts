/**
 * How a list of kind `csv` comes here by itself, as configured: a folder that files are dropped into, or a download.
 *
 * Refuses a URL that is not encrypted (but for this machine), and one with a user or password in it. Whatever lets somebody
 * in is a reference to a secret, never text: check-csv.ts sees to it.
 */
import { z } from 'zod';
import { isLoopback } from '../listen-address.js';
import { duration, oneOrMore, path, size, strict, text, whole } from '../scalars.js';
import { secretSchema, type SecretReference } from '../secret.js';
import { finishSecret, type Absolute } from './common.js';

const patternError = 'must be a pattern of file names such as "*.csv", without a slash';
const pattern = text('a pattern of file names', 255).regex(/^[^/]+$/, { error: patternError });

const urlError =
  'must be an https:// URL without user or fragment, such as "https://hr.example.com/staff.csv"; http:// only for this machine';
const listUrl = text('a URL', 2000).refine(isListUrl, { error: urlError }).meta({ 'x-type': 'URL' });

function isListUrl(value: string): boolean {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  if (username !== '' || password !== '' || hash !== '') return false;
  return protocol === 'https:' || isLoopback(hostname);
}

const proxyError =
  'must be "environment", "none", or the URL of an HTTP proxy, such as "http://proxy.example.com:3128", without user';
const proxyWord = text('a URL', 2000)
  .refine(isProxy, { error: proxyError })
  .meta({ 'x-type': '`"environment"`, `"none"` or URL' });

function isProxy(value: string): boolean {
  if (value === 'environment' || value === 'none') return true;
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).hostname !== '';
}

const headerName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, {
  error: 'must be the name of an HTTP header, such as "Authorization"',
});
const headerValue = z.union([text('the value of a header', 1000), secretSchema], {
  error: 'must be text on one line, or a secret: {"env": "NAME"} or {"file": "path"}',
});

export const delivery = {
  folder: path('a folder')
    .optional()
    .describe('Folder that list files are dropped into, also by SFTP: docs/csv-delivery.md'),
  pattern: oneOrMore(pattern, 'pattern')
    .default(['*.csv', '*.tsv', '*.txt'])
    .describe(
      'Which files of `folder` are lists: `*` is any text, `?` one character, case does not matter. Names of unfinished files (`.part`, `.tmp`, `.filepart`, a dot in front) never are',
    ),
  settle: duration('0s', '1h')
    .prefault('10s')
    .describe(
      'So long a file in `folder` must not have changed before it is read; an empty one six times as long',
    ),
  interval: duration('1s', '1d').prefault('30s').describe('How often `folder` is looked at'),
  keep: strict({
    files: whole(0, 10_000)
      .default(100)
      .describe('So many processed files stay in each of `done` and `failed`'),
    age: duration('1h', '3650d').prefault('30d').describe('Processed files older than this are deleted'),
  })
    .prefault({})
    .describe('Which processed files of `folder` are kept, with their reports'),
  url: listUrl.optional().describe('Where to download the list: https only, on `schedule`'),
  secretQuery: secretSchema
    .optional()
    .describe('Secret query of `url`, such as the signature of a storage link: what would follow the `?`'),
  headers: z
    .record(headerName, headerValue, { error: 'must be an object of header values by name' })
    .default({})
    .meta({ 'x-type': 'object of text or secrets' })
    .describe(
      'Headers of the request for `url`. `Authorization` and the like must be secrets that hold the whole value (`Bearer …`)',
    ),
  ca: path('a CA certificate')
    .optional()
    .describe('PEM file of the CA that signed the certificate of `url`; besides the public ones'),
  proxy: proxyWord
    .default('environment')
    .describe('HTTP proxy for `url`: that of the environment (HTTPS_PROXY, NO_PROXY), none, or this one'),
  timeout: duration('1s', '6h').prefault('5m').describe('Longest time for a whole download'),
  maxSize: size('1KiB', '8GiB')
    .prefault('256MiB')
    .describe('Largest list that is downloaded, or taken from `folder`, unpacked'),
} as const;

interface Delivery {
  readonly folder?: string | undefined;
  readonly ca?: string | undefined;
  readonly secretQuery?: SecretReference | undefined;
  readonly headers: Readonly<Record<string, string | SecretReference>>;
}

/** The paths among these options, made absolute. */
export function finishDelivery<Source extends Delivery>(source: Source, absolute: Absolute): Source {
  const headers = Object.entries(source.headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : finishSecret(value, absolute),
  ]);
  return {
    ...source,
    headers: Object.fromEntries(headers) as Delivery['headers'],
    ...(source.folder !== undefined && { folder: absolute(source.folder) }),
    ...(source.ca !== undefined && { ca: absolute(source.ca) }),
    ...(source.secretQuery !== undefined && { secretQuery: finishSecret(source.secretQuery, absolute) }),
  };
}
