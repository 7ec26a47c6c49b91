/**
 * How far a server's word is believed, for one source.
 *
 * A yes counts only from a server that does not say it to a recipient that cannot exist (one that takes everybody is blind).
 * A no counts only from the first server of the source, and only when it takes a witness of the domain right after it, in the
 * same session: a server whose own list is broken refuses everybody, and a second one may have an older list.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from '../telemetry/log.js';
import type { Cache, Standing } from './cache.js';
import { wordOf } from './classify.js';
import type { Reply, Word } from './finding.js';
import { hostText, type Deadline, type Host } from './wire.js';
import type { SmtpSession } from './smtp-session.js';
import { createWitnesses, type Recipient } from './witnesses.js';

export interface BeliefOptions {
  /** Of the source. */
  readonly name: string;
  /** Under which the cache keeps it. */
  readonly scope: string;
  /** In order; a no counts only from the first. */
  readonly hosts: readonly Host[];
  readonly whenBlind: 'accept' | 'defer';
  /** How long it counts that a server was found blind, or not. */
  readonly blindCheckMs: number;
  readonly unknownStatuses?: readonly string[];
  /** Recipients that are known for certain, asked first. */
  readonly witnesses?: readonly Recipient[];
  readonly cache: Cache;
  readonly now: () => number;
  readonly log: Logger;
}

export interface Belief {
  /** Of a reply to RCPT. Undefined: it could not be asked. */
  word(reply: Reply | undefined): Word;
  standing(host: Host, domain: string): Standing;
  isTrialDue(host: Host, domain: string): boolean;
  /** After a yes. False: it is blind. */
  yes(session: SmtpSession, domain: string, deadline: Deadline): Promise<boolean>;
  /** After a no. False: it takes nobody, or nobody is known to try it by, or it is not the first. */
  no(session: SmtpSession, recipient: Recipient, deadline: Deadline): Promise<boolean>;
}

/** So many yeses, and the server is tried again: it may have begun to take everybody. */
const maxRun = 20;
const maxRuns = 1000;
const never: Standing = { blind: false, triedAt: 0 };

export function createBelief(options: BeliefOptions): Belief {
  const { cache, now, log, scope, blindCheckMs } = options;
  const runs = new Map<string, number>();

  const word = (reply: Reply | undefined): Word =>
    reply === undefined ? 'unclear' : wordOf(reply, options.unknownStatuses);

  const witnesses = createWitnesses({ ...options, word });

  function standing(host: Host, domain: string): Standing {
    return cache.standing(scope, hostText(host), domain) ?? never;
  }

  function isTrialDue(host: Host, domain: string): boolean {
    const { triedAt } = standing(host, domain);
    if (now() < triedAt || now() - triedAt >= blindCheckMs) return true;
    return (runs.get(`${hostText(host)} ${domain}`) ?? 0) >= maxRun;
  }

  function keep(host: Host, domain: string, blind: boolean): boolean {
    const before = standing(host, domain).blind;
    cache.putStanding(scope, hostText(host), domain, { blind, triedAt: now() });
    const about = { source: options.name, host: hostText(host), domain, whenBlind: options.whenBlind };
    if (blind && !before) log.warn(about, 'mail server takes every recipient: it tells nothing');
    if (!blind && before) log.info(about, 'mail server tells its recipients apart again');
    return blind;
  }

  /** Whether the server takes everybody: as found lately, or by trying. */
  async function isBlind(session: SmtpSession, domain: string, deadline: Deadline): Promise<boolean> {
    const { host } = session;
    if (!isTrialDue(host, domain)) return standing(host, domain).blind;
    // letters and digits only: no delimiter of subaddresses may be in it
    const reply = await session.ask(`rollcall${randomBytes(10).toString('hex')}@${domain}`, deadline);
    if (reply === undefined) throw new Error('the random recipient could not be asked about');
    runs.delete(`${hostText(host)} ${domain}`);
    return keep(host, domain, reply.code >= 200 && reply.code < 300);
  }

  async function yes(session: SmtpSession, domain: string, deadline: Deadline): Promise<boolean> {
    if (await isBlind(session, domain, deadline)) return false;
    const run = `${hostText(session.host)} ${domain}`;
    if (runs.size >= maxRuns && !runs.has(run)) runs.clear();
    runs.set(run, (runs.get(run) ?? 0) + 1);
    if (session.host === options.hosts[0]) witnesses.took(domain);
    return true;
  }

  async function no(session: SmtpSession, recipient: Recipient, deadline: Deadline): Promise<boolean> {
    const { host } = session;
    if (host !== options.hosts[0]) return false;
    // it is not what it was taken for
    if (standing(host, recipient.domain).blind) await isBlind(session, recipient.domain, deadline);
    return await witnesses.vouch(session, recipient, deadline);
  }

  return { word, standing, isTrialDue, yes, no };
}
