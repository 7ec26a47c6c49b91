/**
 * Recipients that a server must know: asked about right after it refused somebody, in the same session, to see that its list
 * is not lost.
 *
 * Where some are named for the domain, one of them must be taken. Else two that it took before must be, the newest and the
 * oldest (one, where it took only one yet); when one of them is refused three others must be taken, and then he is known no
 * more. One alone might be an alias that the server knows without its list; so do postmaster and his kind, who never count. A
 * server that failed is not tried again for half a minute, unless it takes somebody meanwhile.
 */
import type { Logger } from '../telemetry/log.js';
import type { Cache } from './cache.js';
import type { Reply, Word } from './finding.js';
import type { SmtpSession } from './smtp-session.js';
import { deadlineIn, hostText, msLeft, type Deadline } from './wire.js';

/** A recipient, as asked about. */
export interface Recipient {
  /** RFC 5321 spelling, the domain an A-label. */
  readonly address: string;
  readonly domain: string;
}

export interface WitnessesOptions {
  readonly name: string;
  readonly scope: string;
  readonly witnesses?: readonly Recipient[];
  readonly word: (reply: Reply | undefined) => Word;
  readonly cache: Cache;
  readonly now: () => number;
  readonly log: Logger;
}

export interface Witnesses {
  /** Whether the server takes one of them now; `recipient`, whom it refused, is none. */
  vouch(session: SmtpSession, recipient: Recipient, deadline: Deadline): Promise<boolean>;
  /** The server took somebody of the domain: it may be tried again at once. */
  took(domain: string): void;
}

const maxNamed = 3;
/** So many of the newest, and of the oldest. */
const maxOfEach = 2;
const enough = 2;
const enoughAgainstOne = 3;
const failedForMs = 30_000;
const maxFailed = 1000;
/** RFC 2142, and the accounts of a machine. */
const roles =
  /^(?:postmaster|abuse|hostmaster|webmaster|security|noc|root|mailer-daemon|daemon|nobody|admin(?:istrator)?)@/i;

export function createWitnesses(options: WitnessesOptions): Witnesses {
  const { scope, cache, now, word, log } = options;
  const failed = new Map<string, Deadline>();

  function namedFor({ address, domain }: Recipient): readonly string[] {
    const named = (options.witnesses ?? []).filter((each) => each.domain === domain);
    return named
      .map((each) => each.address)
      .filter((each) => each !== address)
      .slice(0, maxNamed);
  }

  function learnedOf({ address, domain }: Recipient): readonly string[] {
    const { newest, oldest } = cache.knownOf(scope, domain, 2 * maxOfEach);
    const usable = (each: string): boolean => each !== address && !roles.test(each);
    const [first, second] = newest.filter(usable);
    const [last, lastButOne] = oldest.filter(usable);
    return [...new Set([first, last, second, lastButOne])].filter((each) => each !== undefined);
  }

  async function takes(session: SmtpSession, address: string, deadline: Deadline): Promise<Word> {
    return word(await session.ask(address, deadline));
  }

  async function tryThem(session: SmtpSession, recipient: Recipient, deadline: Deadline): Promise<boolean> {
    const hasNamed = options.witnesses?.some(({ domain }) => domain === recipient.domain) === true;
    if (!hasNamed) return await tryLearned(session, recipient, deadline);
    for (const address of namedFor(recipient))
      if ((await takes(session, address, deadline)) === 'known') return true;
    return false;
  }

  async function tryLearned(
    session: SmtpSession,
    recipient: Recipient,
    deadline: Deadline,
  ): Promise<boolean> {
    const learned = learnedOf(recipient);
    const refused: string[] = [];
    let taken = 0;
    for (const address of learned) {
      const said = await takes(session, address, deadline);
      if (said === 'known') taken += 1;
      if (said === 'unknown') refused.push(address);
      if (refused.length === 0 && taken >= Math.min(enough, learned.length)) return true;
      if (refused.length > 1) return false;
    }
    const [gone] = refused;
    if (gone === undefined || taken < enoughAgainstOne) return false;
    cache.put(scope, recipient.domain, gone, { known: false, at: now(), knownUntil: now() });
    return true;
  }

  return {
    async vouch(session, recipient, deadline) {
      const { domain } = recipient;
      if (msLeft(failed.get(domain) ?? 0) > 0) return false;
      if (await tryThem(session, recipient, deadline)) return true;
      if (failed.size >= maxFailed) failed.clear();
      failed.set(domain, deadlineIn(failedForMs));
      const about = { source: options.name, host: hostText(session.host), domain };
      if (namedFor(recipient).length + learnedOf(recipient).length === 0)
        log.warn(
          about,
          'no recipient is known yet to try the mail server by: name a `witness`; denials are not believed',
        );
      else log.warn(about, 'mail server takes none of our witnesses: its denials are not believed');
      return false;
    },
    took: (domain) => void failed.delete(domain),
  };
}
