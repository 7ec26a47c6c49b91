/** A house with one CSV list, in a folder of its own: what the tests of the processes begin with. */
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { createRollcall, type Rollcall } from '../support/rollcall.js';
import type { Json } from '../support/product-config.js';

export interface CsvHouse extends Rollcall {
  /** Writes the list: `p0@example.com` to `p<n-1>@example.com`, some left out. */
  writeList(n: number, isThere?: (index: number) => boolean): void;
  /** The configuration file anew, with these changes. */
  reconfigure(changes: HouseOptions): void;
}

export interface HouseOptions {
  /** Over the domain `example.com`. */
  readonly domain?: Json;
  /** Over the source `people`. */
  readonly source?: Json;
  /** Over the policy edge. */
  readonly policy?: Json;
  /** Over the top level. */
  readonly rest?: Json;
}

export function createCsvHouse(options: HouseOptions = {}): CsvHouse {
  const rollcall = createRollcall({});
  const house: CsvHouse = {
    ...rollcall,
    writeList(n, isThere = () => true) {
      const indexes = Array.from({ length: n }, (_, index) => index).filter(isThere);
      const rows = indexes.map((index) => `p${index}@example.com`);
      writeFileSync(join(rollcall.folder, 'people.csv'), `email\n${rows.join('\n')}\n`);
    },
    reconfigure(changes) {
      rollcall.configure(configuration({ ...options, ...changes }));
    },
  };
  house.reconfigure({});
  house.writeList(20);
  return house;
}

function configuration({ domain, source, policy, rest }: HouseOptions): Json {
  return {
    domains: { 'example.com': { mode: 'enforce', sources: ['people'], ...domain } },
    sources: { people: { kind: 'csv', path: './people.csv', jitter: '0s', ...source } },
    edges: { policy: { listen: '127.0.0.1:0', ...policy } },
    ...rest,
  };
}

/** A guard that lets a test change as much as it likes. */
export const openGuard = { removals: { percent: 100, floor: 1_000_000 }, growthPercent: 1_000_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
