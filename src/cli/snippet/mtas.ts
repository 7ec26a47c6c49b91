/** The mail servers that Rollcall knows how to plug into. */
export const mtas = ['postfix', 'exim', 'sendmail', 'opensmtpd', 'haraka'] as const;
export type Mta = (typeof mtas)[number];
