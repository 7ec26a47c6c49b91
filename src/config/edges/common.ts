/** What the doors to mail servers have in common, as configured. */
import { duration, listenAddress, oneOrMore, path, strict } from '../scalars.js';

export const listen = oneOrMore(listenAddress, 'listen address').describe(
  'Where to listen: `127.0.0.1:2525`, `[::1]:2525`, `unix:/run/rollcall/x.sock`; port 0 takes a free one',
);

export const drainTimeout = duration('0s', '10m')
  .prefault('10s')
  .describe('At a stop, how long sessions under way may finish before they are cut');

/** STARTTLS of a door that speaks SMTP. */
export const tls = strict({
  cert: path('a certificate').describe('PEM file of the certificate and its chain'),
  key: path('a private key').describe('PEM file of its private key'),
})
  .optional()
  .describe('Offers STARTTLS; without it there is none');
