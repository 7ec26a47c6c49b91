/**
 * How far a server's word is believed, for one source.
 *
 * A yes counts only from a server that does not say it to a recipient that cannot exist (one that takes everybody is blind);
 * a no only from one that was seen lately to take somebody of the domain, as an empty list makes nobody unknown: a server
 * whose own list is broken refuses everybody.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from '../telemetry/log.js';
import type { Cache, Standing } from './cache.js';
import { wordOf } from './classify.js';
import type { Reply, Word } from './finding.js';
import { hostText, type Deadline, type Host } from './wire.js';
import type { SmtpSession } from './smtp-session.js';

export interface BeliefOptions {
  /** Of the source. */
  readonly name: string;
  /** Under which the cache keeps it. */
  readonly scope: string;
  readonly whenBlind: 'accept' | 'defer';
  /** How long it counts that a server was found blind, or not. */
  readonly blindCheckMs: number;
  readonly unknownStatuses?: readonly string[];
  readonly cache: Cache;
  readonly now: () => number;
  readonly log: Logger;
}

export interface Belief {
  /** Of a reply to RCPT. Undefined: it could not be asked. */
  word(reply: Reply | undefined): Word;
  standing(host: Host, domain: string): Standing;
  isTrialDue(standing: Standing): boolean;
  /** After a yes. False: it is blind. */
  yes(session: SmtpSession, domain: string, deadline: Deadline): Promise<boolean>;
  /** After a no. False: it takes nobody. */
  no(session: SmtpSession, domain: string, address: string, deadline: Deadline): Promise<boolean>;
}

/** So many known recipients must be refused before a no is not believed. */
const witnesses = 3;
/** How long it counts that a server took somebody: so long may one that lost its list refuse the living. */
const acceptedForMs = 5 * 60_000;
/** How exactly it is kept when a server last took somebody. */
const stampMs = 60_000;
const never: Standing = { blind: false, triedAt: 0, acceptedAt: 0 };

export function createBelief(options: BeliefOptions): Belief {
  const { cache, now, log, scope, blindCheckMs } = options;

  const word = (reply: Reply | undefined): Word =>
    reply === undefined ? 'unclear' : wordOf(reply, options.unknownStatuses);

  const isOld = (at: number): boolean => now() < at || now() - at >= blindCheckMs;

  const isTrialDue = ({ triedAt }: Standing): boolean => isOld(triedAt);

  function standing(host: Host, domain: string): Standing {
    return cache.standing(scope, hostText(host), domain) ?? never;
  }

  function keep(host: Host, domain: string, next: Standing): Standing {
    const { blind } = standing(host, domain);
    cache.putStanding(scope, hostText(host), domain, next);
    const about = { source: options.name, host: hostText(host), domain, whenBlind: options.whenBlind };
    if (next.blind && !blind) log.warn(about, 'mail server takes every recipient: it tells nothing');
    if (!next.blind && blind) log.info(about, 'mail server tells its recipients apart again');
    return next;
  }

  /** Whether the server takes everybody: as found lately, or by trying. */
  async function tryOut(session: SmtpSession, domain: string, deadline: Deadline): Promise<Standing> {
    const found = standing(session.host, domain);
    if (!isTrialDue(found)) return found;
    // letters and digits only: no delimiter of subaddresses may be in it
    const nobody = `rollcall${randomBytes(10).toString('hex')}@${domain}`;
    const reply = await session.ask(nobody, deadline);
    if (reply === undefined) throw new Error('the random recipient could not be asked about');
    const blind = reply.code >= 200 && reply.code < 300;
    return keep(session.host, domain, { ...found, blind, triedAt: now() });
  }

  async function yes(session: SmtpSession, domain: string, deadline: Deadline): Promise<boolean> {
    const found = await tryOut(session, domain, deadline);
    if (found.blind) return false;
    if (Math.abs(now() - found.acceptedAt) > stampMs)
      keep(session.host, domain, { ...found, acceptedAt: now() });
    return true;
  }

  async function no(
    session: SmtpSession,
    domain: string,
    address: string,
    deadline: Deadline,
  ): Promise<boolean> {
    const before = standing(session.host, domain);
    const found = before.blind ? await tryOut(session, domain, deadline) : before;
    const age = now() - found.acceptedAt;
    if (age >= 0 && age < acceptedForMs) return true;
    if (!(await takesSomebody(session, domain, address, deadline))) {
      const about = { source: options.name, host: hostText(session.host), domain };
      log.warn(about, 'mail server takes nobody we know of: its denials are not believed');
      return false;
    }
    keep(session.host, domain, { ...found, acceptedAt: now() });
    return true;
  }

  async function takesSomebody(
    session: SmtpSession,
    domain: string,
    but: string,
    deadline: Deadline,
  ): Promise<boolean> {
    const recent = cache.recentlyKnown(scope, domain, witnesses + 1).filter((each) => each !== but);
    // RFC 5321 §4.5.1: every domain has a postmaster; only where we know nobody, as other rules may let it in
    const asked = recent.length > 0 ? recent.slice(0, witnesses) : [`postmaster@${domain}`];
    for (const address of asked) if (word(await session.ask(address, deadline)) === 'known') return true;
    return false;
  }

  return { word, standing, isTrialDue, yes, no };
}
