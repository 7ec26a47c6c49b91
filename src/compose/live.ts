/**
 * Control's part of confirm on a miss: the live socket, the sources behind it, and the claims of what was found.
 *
 * Promises that nothing of it keeps control from its other work: a socket that cannot be opened is told in the log, and the
 * lists speak alone.
 */
import { createServer } from 'node:net';
import type { Config } from '../config/schema.js';
import { bind, closeServer, describeAddress } from '../edge/bind.js';
import { messageOf, RollcallError } from '../errors.js';
import type { AskLive } from '../live/answer.js';
import { createLookups, type LookupFigures } from '../live/lookups.js';
import { createLiveServer } from '../live/server.js';
import { maxSocketPath } from '../live/wire.js';
import type { Entry } from '../source/source.js';
import type { Logger } from '../telemetry/log.js';
import { createLiveClaims } from './live-claims.js';
import { livePath } from './live-options.js';
import { createLiveSources, type LiveSourcesOptions } from './live-sources.js';

export interface LiveOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Claims entries as a run of their source. Throws `conflict` while another run has it. */
  readonly claim: (source: string, entries: readonly Entry[]) => Promise<unknown>;
  readonly make?: LiveSourcesOptions['make'];
}

export interface Live {
  readonly ask: AskLive;
  readonly figures: () => readonly LookupFigures[];
  /** Opens the socket; never throws. */
  listen(): Promise<void>;
  reload(config: Config): void;
  close(): Promise<void>;
}

export function openLive({ config, log, claim, make }: LiveOptions): Live {
  let { addresses } = config.log;
  const claims = createLiveClaims({ run: claim, log });
  const sources = createLiveSources({
    config,
    claim: (source, entries) => claims.add(source, entries),
    ...(make !== undefined && { make }),
  });
  const lookups = createLookups({
    route: sources.route,
    log,
    onFound: (source, recipient, claimed) =>
      log.info(
        { source, recipient: addresses ? recipient : recipient.slice(recipient.lastIndexOf('@')), claimed },
        'found by asking the directory: on no list yet',
      ),
  });
  const conversations = createLiveServer({ ask: lookups.ask });
  const server = createServer((socket) => conversations.serve(socket));

  return {
    ask: lookups.ask,
    figures: lookups.figures,
    async listen() {
      const address = { path: livePath(config.dataDir) };
      try {
        checkPath(address.path);
        await bind(server, address, 'live');
        server.on('error', (error) => log.error({ err: messageOf(error) }, 'live socket failed'));
        log.info({ address: describeAddress(address) }, 'live socket open');
      } catch (error) {
        log.error(
          { err: messageOf(error) },
          'no live socket: no directory is asked about unknown recipients',
        );
      }
    },
    reload(next) {
      ({ addresses } = next.log);
      claims.forget();
      sources.reload(next);
      lookups.forget();
    },
    async close() {
      claims.close();
      lookups.close();
      conversations.close();
      sources.close();
      if (server.listening) await closeServer(server);
    },
  };
}

function checkPath(path: string): void {
  if (Buffer.byteLength(path) <= maxSocketPath) return;
  const what = `${path} is longer than the ${maxSocketPath} bytes that the path of a socket may have: choose a shorter dataDir`;
  throw new RollcallError('config', what);
}
