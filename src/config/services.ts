/**
 * The sections that configure Rollcall itself: store, http, sync, log.
 */
import { z } from 'zod';
import { duration, flag, listenAddress, oneOrMore, path, size, strict, whole, word } from './scalars.js';

export const storeSchema = strict({
  kind: z
    .literal('sqlite', { error: 'must be "sqlite"' })
    .default('sqlite')
    .describe('`sqlite`: files in `dataDir`'),
});

export const httpSchema = strict({
  listen: oneOrMore(listenAddress, 'listen address').describe(
    'Where to listen. Plain HTTP: keep it on loopback and put a reverse proxy with TLS in front',
  ),
  uploadLimit: size('1KiB', '8GiB')
    .prefault('256MiB')
    .describe('Largest list that may be uploaded; 256 MiB is about 5 million rows'),
  requestTimeout: duration('1s', '1h')
    .prefault('5m')
    .describe('A request must have arrived whole within this time'),
});

export const syncSchema = strict({
  lease: duration('1s', '1h')
    .prefault('10m')
    .describe(
      'How long the lease of a run lives without a renewal. A run whose process is gone frees it at once; longer than comparing and applying the largest list takes',
    ),
  history: duration('1d', '3650d').prefault('365d').describe('How long runs and their changes are kept'),
  maxProblems: whole(1, 100_000)
    .default(1000)
    .describe('Bad rows and entries recorded per run; the rest are only counted'),
});

export const logSchema = strict({
  level: word(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('Least severity that is logged'),
  format: word(['json', 'pretty']).default('json').describe('`json` for machines, `pretty` for a terminal'),
  mail: path('a log file')
    .optional()
    .describe('Mail log, one line per verdict; without it, it goes to standard error with the rest'),
  addresses: flag()
    .default(true)
    .describe('Write recipient addresses into the mail log; `false` writes their domains only'),
});
