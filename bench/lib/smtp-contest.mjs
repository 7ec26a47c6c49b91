/** The SMTP edge and the bare smtp-server, asked the same by the same client in turn. */

import { join } from 'node:path';
import { alternate, must, report } from './measure.mjs';
import { freePort, startServer, stopServer } from './processes.mjs';
import { configure, startEdge, sync } from './product.mjs';
import { smtpLoad } from './smtp-load.mjs';
import { csvList, questions, root, workFolder } from './workload.mjs';

const rows = 100_000;

export async function smtpContest({ name, unit, load, figure, target }) {
  const recipients = questions(20_000, rows);
  const asked = load.sessions * load.perSession;

  const barePort = await freePort();
  const bare = await startServer(
    process.execPath,
    [join(root, 'bench/baselines/smtp-server.mjs'), barePort],
    {
      port: barePort,
    },
  );
  const path = await csvList(rows);
  const product = await configure(workFolder(), { sources: { list: { kind: 'csv', path } } });
  await sync(product, 'list');
  const edge = await startEdge(product);

  const contender = (port, expected) => async () => {
    const result = await smtpLoad({ ...load, port, recipients });
    for (const [code, share] of Object.entries(expected)) {
      must(
        result.codes[code] === asked * share,
        `wrong answers: ${JSON.stringify(result.codes)} of ${asked}`,
      );
    }
    return figure(result);
  };
  const figures = await alternate({
    'smtp-server, accepts everything': contender(barePort, { 250: 1 }),
    'rollcall edge': contender(product.ports.smtp, { 250: 0.5, 550: 0.5 }),
  });
  await stopServer(bare);
  await stopServer(edge);

  report({
    name,
    unit,
    rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
    value: figures['rollcall edge'] / figures['smtp-server, accepts everything'],
    target,
  });
}
