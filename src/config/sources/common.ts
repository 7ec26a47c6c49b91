/** What sources that give lists share in the configuration: tenant, schedule, guard. */
import { validateDetailed } from 'node-cron';
import { z } from 'zod';
import { duration, flag, percent, strict, text, whole } from '../scalars.js';
import { isTimeZone, nicknames } from '../schedule.js';
import type { SecretReference } from '../secret.js';
import { exclude } from './exclude.js';

const scheduleText = z
  .string({ error: 'must be a cron expression, as text' })
  .superRefine((expression, context) => {
    if (!expression.startsWith('@') && validateDetailed(expression).valid) return;
    if (nicknames.includes(expression)) return;
    const [first] = validateDetailed(expression).errors;
    const message = `must be a cron expression of 5 or 6 fields, or one of ${nicknames.join(' ')}`;
    context.addIssue(first === undefined ? message : `${message} (${first.field}: ${first.message})`);
  })
  .meta({ 'x-type': 'cron expression' });

const timezone = z
  .string({ error: 'must be the name of a time zone' })
  .refine(isTimeZone, { error: 'must be a time zone of the IANA database, such as "Europe/Berlin" or "UTC"' })
  .meta({ 'x-type': 'time zone' });

const canary = z
  .string({ error: 'must be an address' })
  .regex(/^[^\s@]+@[^\s@]+$/, { error: 'must be an address such as "ceo@example.com"' });

const guardSchema = strict({
  removals: strict({
    percent: percent(100)
      .default(5)
      .describe('Removals above this share of the source are held for approval'),
    floor: whole(0, 1_000_000_000)
      .default(10)
      .describe('So many removals always pass, so that small lists are not held for every leaver'),
    domainPercent: percent(100)
      .default(50)
      .describe(
        'Removals are also held when one domain would lose more than this share, and more than `floor`',
      ),
  })
    .prefault({})
    .describe('How many removals a run may make by itself'),
  growthPercent: percent(1_000_000)
    .default(50)
    .describe('A run that would grow the source by more than this is held: a wrong filter or base is likely'),
  canaries: z
    .array(canary, { error: 'must be a list of addresses' })
    .max(100, { error: 'must have at most 100 addresses' })
    .default([])
    .describe('Addresses that must be in every complete list; one missing means the read was not complete'),
});

export const common = {
  tenant: text('the name of a tenant', 63).default('default').describe('The tenant that owns the source'),
  schedule: scheduleText
    .optional()
    .describe(
      'When to sync by itself: 5 or 6 fields (seconds first), or `@hourly` `@daily` `@weekly`. Day of month AND day of week must match',
    ),
  timezone: timezone
    .default('UTC')
    .describe(
      'Time zone of `schedule`. Where clocks change, an hour a year is skipped; catch-up runs it late',
    ),
  jitter: duration('0s', '1h')
    .prefault('30s')
    .describe('Random delay before a scheduled run, so that many do not start at once'),
  catchUp: flag().default(true).describe('Run once at start when a scheduled time was missed'),
  guard: guardSchema.prefault({}).describe('What a run may change without a person looking at it'),
  respectDisabled: flag()
    .default(false)
    .describe(
      'Answer 550 5.2.1 for disabled accounts. Shared, room and equipment mailboxes have disabled accounts and still get mail',
    ),
  exclude,
} as const;

/** What directories that can be asked have besides: reads of changes only, and questions about one address. */
export const live = {
  incremental: flag()
    .default(true)
    .describe(
      'Read only what has changed since the last run, where the directory can tell. In doubt everything is read',
    ),
  fullSchedule: scheduleText
    .default('@daily')
    .describe(
      'When everything is read again: the first run of `schedule` after such a time reads everything',
    ),
  confirm: strict({
    enabled: flag()
      .default(true)
      .describe(
        'Ask the directory about an address that no list knows, before its first 550. The domain must enforce or observe',
      ),
    timeout: duration('100ms', '10s')
      .prefault('2s')
      .describe('Longest wait of a recipient for the answer; then the list’s word stands'),
    perSecond: whole(1, 1000)
      .default(5)
      .describe(
        'Questions a second for each domain, and as many at once after a quiet second; beyond it the list’s word stands',
      ),
    negativeFor: duration('1s', '1d')
      .prefault('10m')
      .describe('So long an address that the directory did not have is not asked about again'),
  })
    .prefault({})
    .describe('Confirm on a miss: new people get their first mail minutes after they were created'),
} as const;

/** From a path as configured to an absolute one. */
export type Absolute = (path: string) => string;

/** A reference to a secret, with the path of a file made absolute. */
export function finishSecret(secret: SecretReference, absolute: Absolute): SecretReference {
  return 'file' in secret ? { file: absolute(secret.file) } : secret;
}
