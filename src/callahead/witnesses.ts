/**
 * Recipients that a server must know: asked about right after it refused somebody, in the same session, to see that its list
 * is not lost. Those that are named for the domain, then the newest and the oldest that it took.
 *
 * Promises a yes only when one was taken. One that is refused while another is taken is known no more. A server that failed
 * is not tried again for half a minute, unless it takes somebody meanwhile. Postmaster and his kind do not count: they are
 * often known to a server that knows nobody else.
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
const failedForMs = 30_000;
const maxFailed = 1000;
/** One that was taken so lately need not be written again. */
const stampMs = 60 * 60_000;

/** RFC 2142, and the accounts of a machine. */
const roles =
  /^(?:postmaster|abuse|hostmaster|webmaster|security|noc|root|mailer-daemon|daemon|nobody|admin(?:istrator)?)@/i;

export function createWitnesses(options: WitnessesOptions): Witnesses {
  const { scope, cache, now, word, log } = options;
  const failed = new Map<string, Deadline>();

  function of({ address, domain }: Recipient): readonly string[] {
    const named = (options.witnesses ?? []).filter((each) => each.domain === domain).slice(0, maxNamed);
    const learned = cache.knownOf(scope, domain, 2 * maxOfEach);
    const usable = (each: string): boolean => each !== address && !roles.test(each);
    const ofEach = [learned.newest, learned.oldest].flatMap((some) =>
      some.filter(usable).slice(0, maxOfEach),
    );
    const all = new Set([...named.map((each) => each.address), ...ofEach]);
    all.delete(address);
    return [...all];
  }

  async function tryThem(session: SmtpSession, recipient: Recipient, deadline: Deadline): Promise<boolean> {
    const refused: string[] = [];
    for (const address of of(recipient)) {
      const said = word(await session.ask(address, deadline));
      if (said === 'unknown') refused.push(address);
      if (said !== 'known') continue;
      writeBack(recipient.domain, address, refused);
      return true;
    }
    return false;
  }

  function writeBack(domain: string, taken: string, refused: readonly string[]): void {
    const kept = cache.find(scope, taken);
    if (kept?.known !== true || Math.abs(now() - kept.at) > stampMs)
      cache.put(scope, domain, taken, { known: true, at: now() });
    for (const address of refused)
      if (cache.find(scope, address)?.known === true)
        cache.put(scope, domain, address, { known: false, at: now(), knownUntil: now() });
  }

  return {
    async vouch(session, recipient, deadline) {
      const { domain } = recipient;
      if (msLeft(failed.get(domain) ?? 0) > 0) return false;
      if (await tryThem(session, recipient, deadline)) return true;
      if (failed.size >= maxFailed) failed.clear();
      failed.set(domain, deadlineIn(failedForMs));
      const about = { source: options.name, host: hostText(session.host), domain };
      if (of(recipient).length === 0)
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
