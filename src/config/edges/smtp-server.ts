/** What the doors that speak SMTP have in common, as configured. */
import { path, strict, whole } from '../scalars.js';

/** STARTTLS. */
export const tls = strict({
  cert: path('a certificate').describe('PEM file of the certificate and its chain'),
  key: path('a private key').describe('PEM file of its private key'),
})
  .optional()
  .describe('Offers STARTTLS; without it there is none');

/** `why` there is none by default, if it needs saying. */
export function maxConnectionsPerClient(why = '') {
  return whole(0, 100_000)
    .default(0)
    .describe(`Sessions at a time of one IP address; 0 is no limit but \`maxConnections\`${why}`);
}

export const maxRecipients = whole(100, 100_000)
  .default(1000)
  .describe('Recipients of one transaction, then 452 4.5.3. RFC 5321 §4.5.3.1.8 asks for at least 100');

export const maxRejected = whole(1, 1_000_000)
  .default(100)
  .describe('Unknown recipients in one session, then 421: nobody should read out the directory');
