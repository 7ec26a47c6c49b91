/**
 * A source of kind `smtp`: the domain's own mail servers, asked at RCPT about whom no list knows (call-ahead).
 *
 * It gives no list, so it has no schedule and no guard. Its servers are named here; MX records are never looked up, as they
 * may lead back to the very edge that asks. Defaults of the lifetimes: verify(8).
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { duration, fail, oneOrMore, path, strict, text, whole, word } from '../scalars.js';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

const serverError =
  'must be a mail server such as "10.0.0.5:25", "mail.example.com" or "[::1]:2525"; without a port it is 25';
const serverRead = z.strictObject({ host: z.string(), port: z.int() });

const server = z
  .codec(z.string({ error: serverError }), serverRead, {
    decode: (written, context) => parseServer(written) ?? fail(context, serverError),
    encode: formatServer,
  })
  .meta({ 'x-type': 'server address' });

export function parseServer(written: string): ServerAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/.exec(written);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 25);
  if (match === null || port < 1 || port > 65_535) return undefined;
  // brackets are for addresses only
  if (match[1] !== undefined && isIP(host) === 0) return undefined;
  return { host, port };
}

export function formatServer({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const senderError = 'must be an address such as "probe@example.com", or "" for the null sender';
const sender = z
  .string({ error: senderError })
  .regex(/^(?:[\x21-\x3b\x3d\x3f-\x7e]+@[A-Za-z0-9.-]+)?$/, { error: senderError })
  .max(254, { error: senderError });

const statusError = 'must be an enhanced status code of class 5, such as "5.1.1"';
const status = z.string({ error: statusError }).regex(/^5\.\d{1,3}\.\d{1,3}$/, { error: statusError });

const witnessError = 'must be the address of a mailbox that exists there, such as "ada@example.com"';
const witness = z
  .string({ error: witnessError })
  .regex(/^[^\s<>@"]+@[^\s<>@"]+$/, { error: witnessError })
  .max(254, { error: witnessError })
  .meta({ 'x-type': 'address' });

const refreshed = (age: string, what: string) =>
  duration('1s', '365d').prefault(age).describe(`Past this age ${what} is asked about again`);

export const smtpSourceSchema = strict({
  kind: z
    .literal('smtp')
    .describe('The domain’s own mail servers, asked by RCPT when no list knows an address. See callahead.md'),
  tenant: text('the name of a tenant', 63).default('default').describe('The tenant that owns the source'),
  hosts: oneOrMore(server, 'server address').describe(
    'The servers, tried in order. They must know the recipients themselves, and never ask Rollcall. MX records are not looked up',
  ),
  timeout: duration('100ms', '20s')
    .prefault('5s')
    .describe('Longest wait for an answer, all told; then the recipient is deferred'),
  witness: oneOrMore(witness, 'address')
    .optional()
    .describe(
      'Mailboxes that exist there, one or more in each domain; neither postmaster nor anything a server knows without its list. A "no such mailbox" counts only when the server takes one of them right after it. Without one, only those learned since count',
    ),
  positive: strict({
    refresh: refreshed('7d', 'a known recipient'),
    expire: duration('1s', '365d').prefault('31d').describe('Past this age a known recipient counts no more'),
  })
    .prefault({})
    .describe('How long a yes counts. An old one is used while it is asked about again'),
  negative: strict({ refresh: refreshed('3h', 'an unknown recipient') })
    .prefault({})
    .describe('How long a no counts. Afterwards only a new one refuses; without an answer it is a defer'),
  whenBlind: word(['accept', 'defer'])
    .default('accept')
    .describe(
      'When the server takes every recipient, and so tells nothing: `accept` as it does, or `defer`. It never overrules a fresh list',
    ),
  blindCheck: duration('1s', '30d')
    .prefault('1h')
    .describe('How often a random recipient is tried, to find out whether the server takes everybody'),
  unknownStatuses: z
    .array(status, { error: 'must be a list of enhanced status codes' })
    .min(1, { error: 'must have at least one code' })
    .max(20, { error: 'must have at most 20 codes' })
    .default(['5.1.1', '5.1.6', '5.1.10'])
    .describe(
      'Enhanced codes of a 550, 551 or 553 that mean "no such mailbox". Everything else says nothing. Exchange Online says 5.4.1',
    ),
  maxConcurrent: whole(1, 100).default(4).describe('Probes at a time'),
  maxPerSecond: whole(1, 1000)
    .default(10)
    .describe('Probes a second, and at once after a quiet second; what comes faster waits, then is deferred'),
  sender: sender.default('').meta({ 'x-type': 'address' }).describe('Who asks; `""` is the null sender'),
  hello: z
    .string({ error: 'must be a host name' })
    .regex(/^[A-Za-z0-9.\-:[\]]{1,255}$/, { error: 'must be a host name, or an address in brackets' })
    .optional()
    .describe('Name in EHLO; default: the name of this machine'),
  tls: word(['off', 'opportunistic', 'required', 'verified'])
    .default('opportunistic')
    .describe(
      'STARTTLS: `opportunistic` when offered, whatever the certificate; `verified` only with a right one for the host',
    ),
  ca: path('a CA certificate')
    .optional()
    .describe('PEM file of the CA for `"tls": "verified"`; default: the system’s'),
});

export type SmtpSourceConfig = z.output<typeof smtpSourceSchema>;
