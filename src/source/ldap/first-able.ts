/** Several readers of changes in order of preference: the first that can begin is used, and its cursor goes back to it. */
import type { Change, ChangesReport, Cursor } from '../source.js';
import type { ChangeReader, Reading } from './changes.js';
import { doubtful, readCursor, type LdapCursor } from './cursor.js';

export interface Choice {
  readonly by: LdapCursor['by'];
  readonly reader: ChangeReader;
}

export function firstAble(choices: readonly Choice[]): ChangeReader {
  return {
    begin: async (reading) => {
      for (const { reader } of choices) {
        const cursor = await reader.begin(reading);
        if (cursor !== undefined) return cursor;
      }
      return undefined;
    },
    changes: (reading, cursor) => changes(choices, reading, cursor),
  };
}

async function* changes(
  choices: readonly Choice[],
  reading: Reading,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const by = readCursor(cursor)?.by;
  const choice = choices.find((candidate) => candidate.by === by);
  if (choice === undefined)
    return doubtful(reading, cursor, 'the cursor is none that this kind of directory gives');
  return yield* choice.reader.changes(reading, cursor);
}
