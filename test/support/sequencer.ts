/**
 * The order of the files: first those that start real servers and processes, then those that are done in a second or two. In a
 * fresh clone nothing is known of how long each takes, and a long one begun last would run alone at the end.
 */
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const rooms = ['e2e', 'processes', 'mta', 'verdicts', 'live', 'callahead', 'cli', 'source'];

export class ServersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const room = rooms.findIndex((name) =>
        moduleId.startsWith(join(this.ctx.config.root, 'test', name, '/')),
      );
      return room < 0 ? rooms.length : room;
    };
    // by time where it is known, else by size
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
