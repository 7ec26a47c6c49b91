/** `rollcall check ADDRESS`: the verdict the edges would give, and why. */
import type { Command } from 'commander';
import type { Explanation } from '../policy/explain.js';
import type { Db } from '../store/sqlite/open.js';
import type { Config } from '../config/schema.js';
import type { Context } from './context.js';
import { withTraffic } from './directory.js';
import { checkLines } from './check-text.js';
import type { Host } from './host.js';
import { statusOfAction } from './status.js';

export interface CheckOptions {
  readonly from?: string;
  readonly client?: string;
}

export function registerCheck(program: Command, host: Host): void {
  program
    .command('check')
    .summary('the verdict on an address, and why')
    .description(
      'Gives the verdict on an address as the edges would, from the same snapshot, with what stands behind it. Exit status ' +
        '0: accept, 4: reject, 5: defer.',
    )
    .argument('<address>', 'a recipient address, as in RCPT TO')
    .option('--from <sender>', 'envelope sender; `<>` for the null sender')
    .option('--client <ip>', 'address of the SMTP client')
    .action((address: string, options: CheckOptions, command: Command) =>
      host.run(command, (context) => check(context, address, options)),
    );
}

async function check(context: Context, address: string, options: CheckOptions): Promise<number> {
  const { config } = await context.load();
  const { explanation, trouble } = await explainAddress(context, config, address, options);
  const { recipient, domain } = explanation;
  const tenant = domain === null ? undefined : config.domains[domain]?.tenant;
  const lastMail =
    recipient === null || tenant === undefined
      ? undefined
      : await withTraffic(config, (traffic) => traffic.lastAccepted(tenant, recipient));
  const json = { ...explanation, lastMail: lastMail === undefined ? null : new Date(lastMail).toISOString() };
  context.answer(json, () => checkLines(explanation, { now: context.now(), lastMail, trouble }));
  return statusOfAction(explanation.action);
}

/** `trouble`: why the snapshot could not be read, when it could not. */
async function explainAddress(
  context: Context,
  config: Config,
  address: string,
  options: CheckOptions,
): Promise<{ explanation: Explanation; trouble: string | undefined }> {
  const { openLookup } = await import('../lookup/reader.js');
  const { lookupPath } = await import('../lookup/schema.js');
  const { createDecide } = await import('../policy/decide.js');
  const { explainAsking } = await import('../policy/explain.js');
  const { openCallAhead } = await import('../compose/call-ahead.js');
  const { openConfirmOnMiss } = await import('../compose/confirm-on-miss.js');
  const { firstOf } = await import('../policy/miss.js');
  const { createLogger } = await import('../telemetry/log.js');
  const { domainTableOf } = await import('../compose/domains.js');
  let trouble: string | undefined;
  const lookup = openLookup({
    path: lookupPath(config.dataDir),
    onState: (state, detail) => (trouble = state === 'unavailable' ? detail : undefined),
  });
  const db = await openIfThere(config);
  const domains = domainTableOf(config);
  const now = context.now();
  // what went wrong is in the verdict
  const log = createLogger({ level: 'fatal', format: 'json' });
  const callAhead = openCallAhead({ config, domains: () => domains, log, write: false });
  const miss = openConfirmOnMiss({ config, domains: () => domains, log, look: true });
  try {
    const decide = createDecide({ domains: () => domains, lookup, now: () => now, reference: () => '' });
    const question = {
      recipient: address,
      form: 'smtp',
      sender: options.from,
      client: options.client,
      edge: 'cli',
    } as const;
    const confirm = firstOf(miss.confirm, callAhead.confirm);
    const explanation = await explainAsking({ decide, confirm, domains, lookup, db, now }, question);
    return { explanation, trouble };
  } finally {
    miss.close();
    callAhead.close();
    db?.close();
    lookup.close();
  }
}

/** A verdict needs no directory; without it there are only no claims to show. */
async function openIfThere(config: Config): Promise<Db | undefined> {
  const { directoryPath, openDirectoryReader } = await import('../store/sqlite/open.js');
  try {
    return openDirectoryReader(directoryPath(config.dataDir));
  } catch {
    return undefined;
  }
}
