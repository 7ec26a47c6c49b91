/**
 * The doors to mail servers, as configured: addresses to listen on and the bound of everything a client can take.
 */
import type { z } from 'zod';
import { strict } from '../scalars.js';
import { milterEdgeSchema } from './milter.js';
import { policyEdgeSchema } from './policy.js';
import { smtpEdgeSchema } from './smtp.js';

export const edgesSchema = strict({
  smtp: smtpEdgeSchema.optional().describe('SMTP call-ahead target: answers RCPT TO, never takes a message'),
  policy: policyEdgeSchema.optional().describe('Postfix access policy delegation (SMTPD_POLICY_README)'),
  milter: milterEdgeSchema
    .optional()
    .describe(
      'Sendmail’s mail filter protocol, for Postfix `smtpd_milters` and Sendmail `INPUT_MAIL_FILTER`',
    ),
});

export type EdgesConfig = z.output<typeof edgesSchema>;
/** `smtp`, `policy`, … */
export type EdgeName = keyof EdgesConfig;
/** The section of one door. */
export type EdgeConfig<Name extends EdgeName> = NonNullable<EdgesConfig[Name]>;
