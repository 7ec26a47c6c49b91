/**
 * The policy of one mail domain, as configured: every field, its default, its bounds.
 *
 * Refuses what would turn a doubt into a rejection: `whenStale` has no "reject", and a pattern that matches everything
 * must be written as `catchAll`. What needs the whole file (does the source exist, is the alias a loop) is in check.ts.
 */
import { z } from 'zod';
import { duration, flag, strict, text, word } from './scalars.js';

const replyError = 'must be one line of 1 to 200 printable ASCII characters';
const replyText = z
  .string({ error: replyError })
  // RFC 5321 §4.2: textstring is HT and printable ASCII; one line leaves room for the code and the reference.
  .regex(/^[\x20-\x7e]{1,200}$/, { error: replyError })
  .meta({ 'x-type': 'text', 'x-bounds': '1 to 200 printable ASCII characters' })
  .optional();

const repliesSchema = strict({
  unknown: replyText.describe('550 5.1.1, no such address'),
  removed: replyText.describe('450 4.2.1, removed within `removed.deferFor`'),
  disabled: replyText.describe('550 5.2.1, every claim says disabled'),
  'internal-only': replyText.describe('550 5.7.1, takes no mail from outside senders'),
  'bad-syntax': replyText.describe('553 5.1.3, not an address'),
  'not-our-domain': replyText.describe('550 5.7.1, not a domain served here'),
  stale: replyText.describe('451 4.4.3, the list is older than `staleAfter`'),
  'never-synced': replyText.describe('451 4.4.3, no list was ever loaded'),
  failure: replyText.describe('451 4.4.3, a failure of our own'),
});

const delimiterError =
  'must be one printable ASCII character that is no letter, digit, "@", quote or backslash';
const delimiter = z.string({ error: delimiterError }).regex(/^[!#-/:-?[\]-`{-~]$/, { error: delimiterError });

const localPart = text('a local part', 64).regex(/^[^@]+$/, { error: 'must be a local part, without "@"' });
const patternError = 'must be a local part with "*" or "?", without "@", such as "ticket-*"';
const pattern = z
  .string({ error: patternError })
  .regex(/^[^@\p{Cc}]{1,64}$/u, { error: patternError })
  .refine((glob) => /[^*]/.test(glob), {
    error: 'matches every local part: write "catchAll": true if you mean it',
  });

const sources = z.array(text('the name of a source', 64), { error: 'must be a list of source names' });
const list = { error: 'must be a list' };

export const domainSchema = strict({
  mode: word(['observe', 'enforce', 'off'])
    .default('observe')
    .describe(
      '`enforce` gives the verdicts; `observe` accepts everything and records what would have been answered; `off` accepts',
    ),
  sources: sources.default([]).describe('The sources whose claims speak for this domain'),
  subaddress: z
    .array(delimiter, list)
    .max(8, { error: 'must have at most 8 delimiters' })
    .default(['+'])
    .describe(
      'Delimiters: the exact address is tried first, then the part before the delimiter; `[]` for none',
    ),
  caseSensitive: flag().default(false).describe('Local parts differ by case (domains never do)'),
  includeSubdomains: flag().default(false).describe('Answer for `x.example.com` as well'),
  aliasOf: text('a domain', 255).optional().describe('Same local parts as this other configured domain'),
  always: z
    .array(localPart, list)
    .max(100, { error: 'must have at most 100 local parts' })
    .default(['postmaster', 'abuse'])
    .describe('Local parts that are always known (RFC 5321 §4.5.1, RFC 2142)'),
  patterns: z
    .array(pattern, list)
    .max(1000, { error: 'must have at most 1000 patterns' })
    .default([])
    .describe('Globs over the local part: `*` any run of characters, `?` any one'),
  catchAll: flag().default(false).describe('Accept any local part. Earns bounces; warned about'),
  staleAfter: duration('1s', '365d')
    .prefault('48h')
    .describe('Age of the oldest list of this domain past which it is not trusted for a rejection'),
  whenStale: word(['defer', 'accept'])
    .default('defer')
    .describe(
      'What to answer past `staleAfter`. There is no `reject`: not knowing is never a reason to refuse mail',
    ),
  removed: strict({
    deferFor: duration('0s', '30d')
      .prefault('24h')
      .describe(
        'How long a removed address is deferred (450 4.2.1) before it is rejected; it is back at once if it reappears',
      ),
  })
    .prefault({})
    .describe('What becomes of an address that left the list'),
  replies: repliesSchema.prefault({}).describe('Own texts instead of the standard ones, by reason'),
  tenant: text('the name of a tenant', 63).default('default').describe('The tenant that owns the domain'),
});

export type DomainConfig = z.output<typeof domainSchema>;
