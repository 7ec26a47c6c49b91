/** Opens what commands only read: the directory and the traffic, for the length of one piece of work. */
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Db } from '../store/sqlite/open.js';
import type { TrafficReader } from '../traffic/reader.js';

export async function withDirectory<T>(config: Config, work: (db: Db) => T): Promise<T> {
  const { directoryPath, openDirectoryReader } = await import('../store/sqlite/open.js');
  const db = openDirectoryReader(directoryPath(config.dataDir));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

export async function withTraffic<T>(config: Config, work: (traffic: TrafficReader) => T): Promise<T> {
  const { openTrafficReader } = await import('../traffic/reader.js');
  const traffic = openTrafficReader(join(config.dataDir, 'traffic.db'));
  try {
    return work(traffic);
  } finally {
    traffic.close();
  }
}
