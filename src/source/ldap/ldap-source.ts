/**
 * The source `ldap`: OpenLDAP, Active Directory, 389 Directory Server.
 *
 * Promises: one bound connection for the whole read; `complete` only when every base was paged to its final cookie as the
 * configured account, every entry had a readable id and all its values, and nothing stood behind a reference that was not
 * followed. A failure of the server, the network or the limits throws; nothing is retried in the middle.
 * Refuses nothing by itself about what addresses mean: the sync derives their keys.
 */
import { RollcallError } from '../../errors.js';
import type { Change, ChangesReport, Cursor, ReadContext, Source } from '../source.js';
import { changeReader } from './change-reader.js';
import { checkedFilter, withCheckedExclude } from './checked-filter.js';
import { connect } from './connect.js';
import { doubtful } from './cursor.js';
import { createFinder } from './find.js';
import { isSelective, sharedIdReason, type LdapSourceOptions } from './options.js';
import { probeLdap } from './probe.js';
import { Scan, type Bound } from './scan.js';
import { identityOf, readServerFacts } from './server-facts.js';
import type { Session } from './session.js';
import { anonymously, readWhole } from './whole-read.js';

/** Throws a RollcallError `config` when the filter cannot be parsed. */
export function createLdapSource(given: LdapSourceOptions): Source {
  const options = withCheckedExclude(given);
  const filter = checkedFilter(options);
  const finder = createFinder(options, filter);
  const whole: Source = {
    read: (context) => withScan(options, filter, context, readWhole),
    find: (address, context) => finder.find(address, context.signal),
    probe: (context) => probeLdap(options, filter, context.signal),
    close: () => finder.close(),
  };
  if (isSelective(options)) return whole;
  return {
    ...whole,
    changes: (context, cursor) => withScan(options, filter, context, (scan) => readChanges(scan, cursor)),
  };
}

/** Runs `body` over a connection of its own, bound as one and the same account from its beginning to its end. */
async function* withScan<Batch, Report>(
  options: LdapSourceOptions,
  filter: string,
  context: ReadContext,
  body: (scan: Scan) => AsyncGenerator<Batch, Report, void>,
): AsyncGenerator<Batch, Report, void> {
  context.signal.throwIfAborted();
  const session = await connect(options, context.signal);
  const abort = (): void => session.abort('the run was stopped');
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    const bound = await introduce(session, options);
    const report = yield* body(new Scan(options, filter, bound, context));
    await mustStillBe(bound, options);
    return report;
  } catch (error) {
    context.signal.throwIfAborted();
    throw error;
  } finally {
    context.signal.removeEventListener('abort', abort);
    await session.close();
  }
}

async function introduce(session: Session, options: LdapSourceOptions): Promise<Bound> {
  const facts = await readServerFacts(session, options.timeLimitSeconds);
  return { session, facts, identity: await identityOf(session, facts, options.bindDn ?? '') };
}

async function mustStillBe({ session, facts, identity }: Bound, options: LdapSourceOptions): Promise<void> {
  const after = await identityOf(session, facts, options.bindDn ?? '');
  if (identity === after) return;
  throw new RollcallError('source', `${session.server}: our identity changed during the read`);
}

async function* readChanges(
  scan: Scan,
  cursor: Cursor,
): AsyncGenerator<readonly Change[], ChangesReport, void> {
  const shared = sharedIdReason(scan.options);
  if (shared !== undefined) return doubtful(scan, cursor, shared);
  const report = yield* changeReader(scan.options.preset).changes(scan, cursor);
  const doubts = [...new Set([...report.doubts, ...scan.doubts(), ...anonymously(scan)])];
  return { ...report, doubts, proof: report.proof && doubts.length === 0 };
}
