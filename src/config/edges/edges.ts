/**
 * The doors to mail servers, as configured: addresses to listen on and the bound of everything a client can take.
 */
import type { z } from 'zod';
import { strict } from '../scalars.js';
import { httpEdgeSchema } from './http.js';
import { milterEdgeSchema } from './milter.js';
import { policyEdgeSchema } from './policy.js';
import { proxyEdgeSchema } from './proxy.js';
import { readsocketEdgeSchema } from './readsocket.js';
import { smtpEdgeSchema } from './smtp.js';
import { socketmapEdgeSchema } from './socketmap.js';
import { tcpEdgeSchema } from './tcp.js';

export const edgesSchema = strict({
  smtp: smtpEdgeSchema.optional().describe('SMTP call-ahead target: answers RCPT TO, never takes a message'),
  policy: policyEdgeSchema.optional().describe('Postfix access policy delegation (SMTPD_POLICY_README)'),
  socketmap: socketmapEdgeSchema
    .optional()
    .describe('Lookup tables `recipients` and `domains` (socketmap_table(5)), for Postfix and Sendmail'),
  tcp: tcpEdgeSchema
    .optional()
    .describe('Lookup table of recipients and domains (tcp_table(5)), for a Postfix without socketmap'),
  readsocket: readsocketEdgeSchema
    .optional()
    .describe('One line in, one line out, for Exim’s `${readsocket}`'),
  http: httpEdgeSchema
    .optional()
    .describe('`GET /v1/verdict` for scripts and filters, on the edge process; whoever reaches it may ask'),
  milter: milterEdgeSchema
    .optional()
    .describe(
      'Sendmail’s mail filter protocol, for Postfix `smtpd_milters` and Sendmail `INPUT_MAIL_FILTER`',
    ),
  proxy: proxyEdgeSchema
    .optional()
    .describe('Before-queue SMTP proxy: recipients pass the verdict, then all goes through to the next hop'),
});

export type EdgesConfig = z.output<typeof edgesSchema>;
/** `smtp`, `policy`, … */
export type EdgeName = keyof EdgesConfig;
/** The section of one door. */
export type EdgeConfig<Name extends EdgeName> = NonNullable<EdgesConfig[Name]>;
