/**
 * The source `graph`: users, groups and organisational contacts of Microsoft Entra ID, through Microsoft Graph v1.0.
 *
 * Promises: exactly the properties needed are asked for; `complete` and `proof` only as full-read.ts and changes.ts say; a token
 * goes to the configured hosts only. A read and its changes keep nothing open behind them; `find` keeps its connections.
 * Covers neither public folders nor dynamic distribution groups: Graph has none of them.
 */
import type { Change, ChangesReport, Cursor, Entry, ReadContext, Source } from '../source.js';
import { readChanges } from './changes.js';
import { GraphClient } from './client.js';
import { realClock } from './clock.js';
import { collectionsOf } from './collections.js';
import { findAddress } from './find.js';
import { readAll } from './full-read.js';
import { Http } from './http.js';
import type { Clock, GraphSourceOptions } from './options.js';
import { probeGraph } from './probe.js';
import { Tokens } from './token.js';
import { createTransport } from './transport.js';

interface Session {
  readonly client: GraphClient;
  close(): Promise<void>;
}

export function createGraphSource(options: GraphSourceOptions, clock: Clock = realClock): Source {
  const collections = collectionsOf(options);
  let asking: Session | undefined;
  return {
    read: (context: ReadContext) =>
      within(options, clock, ({ client }) => readAll(client, collections, options, context)),
    changes: (context: ReadContext, cursor: Cursor): AsyncGenerator<readonly Change[], ChangesReport, void> =>
      within(options, clock, ({ client }) => readChanges(client, collections, options, context, cursor)),
    find: (address, context): Promise<readonly Entry[]> => {
      asking ??= open(options, clock);
      return findAddress(asking.client, collections, address, context);
    },
    probe: async (context) => {
      const session = open(options, clock);
      try {
        return await probeGraph(session.client, collections, options, context);
      } finally {
        await session.close();
      }
    },
    close: async () => {
      const session = asking;
      asking = undefined;
      await session?.close();
    },
  };
}

async function* within<T, R>(
  options: GraphSourceOptions,
  clock: Clock,
  run: (session: Session) => AsyncGenerator<T, R, void>,
): AsyncGenerator<T, R, void> {
  const session = open(options, clock);
  try {
    return yield* run(session);
  } finally {
    await session.close();
  }
}

function open(options: GraphSourceOptions, clock: Clock): Session {
  const transport = createTransport(options);
  const http = new Http(transport, clock);
  const tokens = new Tokens(options, http);
  return {
    client: new GraphClient(options.graph, http, tokens),
    close: async () => {
      tokens.close();
      await transport.close();
    },
  };
}
