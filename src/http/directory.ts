/** The read-only connection to directory.db, opened when first asked and anew after a failure. */
import { openDirectoryReader, type Db } from '../store/sqlite/open.js';

export interface DirectoryReader {
  /** Throws `store` when the file is missing or of another version. */
  db(): Db;
  /** Drops the connection, so that the next question opens the file again. */
  reset(): void;
}

export function createDirectoryReader(file: string): DirectoryReader {
  let open: Db | undefined;
  return {
    db: () => (open ??= openDirectoryReader(file)),
    reset: () => {
      open?.close();
      open = undefined;
    },
  };
}
