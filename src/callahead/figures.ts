/** What `callahead.db` has to tell the metrics: probes by outcome, answers kept, servers that take everybody. */
import { readOnly } from './cache-file.js';

export interface Figures {
  readonly probes: readonly { readonly source: string; readonly outcome: string; readonly count: number }[];
  readonly kept: readonly { readonly source: string; readonly answer: string; readonly count: number }[];
  /** Domains for which a server of the source takes every recipient. */
  readonly blind: readonly { readonly source: string; readonly count: number }[];
}

const none: Figures = { probes: [], kept: [], blind: [] };

/** A scope begins with the name of the source, which has no space in it. */
const source = "substr(scope, 1, instr(scope, ' ') - 1) AS source";

/** Nothing when there is no file, or it cannot be read. */
export function readFigures(path: string): Figures {
  try {
    const read = readOnly(path, (db): Figures => {
      const rows = <Row>(sql: string): Row[] => db.prepare<[], Row>(sql).all();
      return {
        probes: rows(`SELECT ${source}, outcome, sum(count) AS count FROM probe_count GROUP BY 1, 2`),
        kept: rows(
          `SELECT ${source}, iif(known, 'known', 'unknown') AS answer, sum(count) AS count FROM kept GROUP BY 1, 2`,
        ),
        blind: rows(`SELECT ${source}, sum(blind) AS count FROM standing GROUP BY 1`),
      };
    });
    return read ?? none;
  } catch {
    return none;
  }
}
