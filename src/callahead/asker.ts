/**
 * One source of kind `smtp`: what its servers say of a recipient, out of the cache or by asking.
 *
 * Promises an answer within `timeoutMs`, and at once for what the cache holds. One probe an address at a time, however many
 * ask. A known recipient stays known while nobody can be asked, until its answer expires; a denial counts only from a
 * server that takes others of the domain, as an empty list makes nobody unknown; and a yes only from one that does not take
 * everybody. Never throws, never rejects.
 */
import { createBelief, type BeliefOptions } from './belief.js';
import { acceptsAll, known, unanswered, type Finding, type Word } from './finding.js';
import { createGate, type GateOptions } from './gate.js';
import { ageOf, type Entry, type Lifetimes } from './lifetimes.js';
import { createPool } from './pool.js';
import { textOf, type SessionOptions, type SmtpSession } from './smtp-session.js';
import { deadlineIn, hostText, type Deadline, type Host } from './wire.js';

export interface AskerOptions
  extends
    Lifetimes,
    SessionOptions,
    Omit<GateOptions, 'maxWaiting'>,
    /** `unknownStatuses`: enhanced codes that mean "no such mailbox"; default: those of classify.ts. */
    Omit<BeliefOptions, 'scope'> {
  readonly hosts: readonly Host[];
  readonly timeoutMs: number;
  readonly keptIdleMs?: number;
}

/** A recipient, as asked about. */
export interface Recipient {
  /** RFC 5321 spelling, the domain an A-label. */
  readonly address: string;
  readonly domain: string;
}

export interface Asker {
  ask(recipient: Recipient): Finding | Promise<Finding>;
  /** Answers everybody who waits with `unanswered`. */
  close(): void;
}

/** An old answer is asked again in the background, but not with every question while the server is silent. */
const retryMs = 60_000;
const maxRetries = 10_000;
const troubleLogMs = 60_000;

export function createAsker(options: AskerOptions): Asker {
  const { cache, now, log, name, timeoutMs } = options;
  const scope = `${name} ${options.hosts.map(hostText).join(',')}`;
  const maxWaiting = Math.ceil((options.maxPerSecond * timeoutMs) / 1000) + options.maxConcurrent;
  const gate = createGate({ ...options, maxWaiting });
  const onTrouble = createTroubleLog(options);
  const pool = createPool({ ...options, onTrouble });
  const belief = createBelief({ ...options, scope });
  const whenBlind = options.whenBlind === 'accept' ? acceptsAll : unanswered;
  const underWay = new Map<string, Promise<Finding>>();
  const retried = new Map<string, number>();

  function ask(recipient: Recipient): Finding | Promise<Finding> {
    const entry = cache.find(scope, recipient.address);
    const age = ageOf(entry, options, now());
    if (entry !== undefined && age === 'fresh') return findingOf(entry);
    if (entry?.known === true && age === 'old') {
      askBehind(recipient, entry);
      return known;
    }
    if (isBlind(recipient)) return blind(recipient);
    // An old denial is asked again first: who came since must not be refused.
    const old = entry !== undefined && age === 'old' ? findingOf(entry) : unanswered;
    if (pool.down()) return old;
    return inTime(probe(recipient, entry), old);
  }

  function askBehind(recipient: Recipient, entry: Entry | undefined): void {
    const last = retried.get(recipient.address);
    if (pool.down() || (last !== undefined && now() - last < retryMs && last <= now())) return;
    if (retried.size >= maxRetries) retried.clear();
    retried.set(recipient.address, now());
    void probe(recipient, entry, true);
  }

  /** The first server takes everybody: asking it about each would tell nothing. */
  function isBlind({ domain }: Recipient): boolean {
    const [host] = options.hosts;
    return host !== undefined && belief.standing(host, domain).blind;
  }

  function blind(recipient: Recipient): Finding {
    const [host] = options.hosts;
    // the next probe finds out whether it still is
    if (host !== undefined && belief.isTrialDue(belief.standing(host, recipient.domain)))
      askBehind(recipient, undefined);
    return whenBlind;
  }

  /** Shared by all who ask about the address meanwhile. */
  function probe(recipient: Recipient, entry: Entry | undefined, background = false): Promise<Finding> {
    const { address } = recipient;
    const going = underWay.get(address);
    if (going !== undefined) return going;
    const fresh = throughGate(recipient, entry, background).finally(() => underWay.delete(address));
    underWay.set(address, fresh);
    return fresh;
  }

  async function throughGate(
    recipient: Recipient,
    entry: Entry | undefined,
    background: boolean,
  ): Promise<Finding> {
    const work = (): Promise<Finding> => {
      const deadline = deadlineIn(timeoutMs);
      return pool.use((session) => examine(session, recipient, entry, deadline), deadline);
    };
    try {
      const finding = await gate.run(work, deadlineIn(timeoutMs), background);
      if (finding === undefined) cache.count(scope, 'turned-away');
      return finding ?? unanswered;
    } catch (error) {
      cache.count(scope, 'no-answer');
      log.debug({ source: name, domain: recipient.domain, err: String(error) }, 'mail server gave no answer');
      return unanswered;
    }
  }

  async function examine(
    session: SmtpSession,
    { address, domain }: Recipient,
    entry: Entry | undefined,
    deadline: Deadline,
  ): Promise<Finding> {
    const reply = await session.ask(address, deadline);
    const word = belief.word(reply);
    const finding = await judge(word);
    const { host } = session;
    log.debug(
      { source: name, host: hostText(host), domain, said: reply && textOf(reply), finding: finding.kind },
      'mail server asked',
    );
    cache.count(scope, word === 'unclear' ? 'unclear' : finding.kind);
    if (finding.kind === 'known') keep(address, domain, { known: true, at: now() });
    if (finding.kind === 'unknown')
      keep(address, domain, { known: false, at: now(), knownUntil: finding.knownUntil });
    return finding;

    async function judge(said: Word): Promise<Finding> {
      if (said === 'known') return (await belief.yes(session, domain, deadline)) ? known : whenBlind;
      if (said === 'unclear' || !(await belief.no(session, domain, address, deadline))) return unanswered;
      return { kind: 'unknown', knownUntil: entry?.known === true ? now() : entry?.knownUntil };
    }
  }

  function keep(address: string, domain: string, entry: Entry): void {
    retried.delete(address);
    cache.put(scope, domain, address, entry);
  }

  /** The probe goes on behind when the deadline has passed: its answer is there for the next question. */
  function inTime(probing: Promise<Finding>, late: Finding): Promise<Finding> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(late), timeoutMs);
      void probing.then((finding) => {
        clearTimeout(timer);
        resolve(finding.kind === 'unanswered' ? late : finding);
      });
    });
  }

  return {
    ask,
    close() {
      gate.close();
      pool.close();
    },
  };
}

function findingOf({ known: isKnown, knownUntil }: Entry): Finding {
  return isKnown ? known : { kind: 'unknown', knownUntil };
}

/** A server that is down fails every question: one line a minute says as much. */
function createTroubleLog({ log, name }: AskerOptions): (host: Host, error: Error) => void {
  const loggedAt = new Map<string, number>();
  return (host, error) => {
    const server = hostText(host);
    const last = loggedAt.get(server) ?? -Infinity;
    if (performance.now() - last < troubleLogMs) return;
    loggedAt.set(server, performance.now());
    log.warn({ source: name, host: server, err: error.message }, 'mail server cannot be asked');
  };
}
