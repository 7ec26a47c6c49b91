/**
 * One source of kind `smtp`: what its servers say of a recipient, out of the cache or by asking.
 *
 * Promises an answer within `timeoutMs`, and at once for what the cache holds; the probe goes on behind, so that a slow
 * server's answer is there for the next question. One probe an address at a time, however many ask. A known recipient stays
 * known while nobody can be asked, until its answer expires. A denial counts only while it is fresh, and only when `belief`
 * holds it true: in every other case it is `unanswered`. Never throws, never rejects.
 */
import { createHash } from 'node:crypto';
import { createBelief, type BeliefOptions } from './belief.js';
import { acceptsAll, known, unanswered, type Finding, type Word } from './finding.js';
import { createGate, type GateOptions } from './gate.js';
import { ageOf, type Entry, type Lifetimes } from './lifetimes.js';
import { createPool } from './pool.js';
import { unknownStatuses } from './classify.js';
import { textOf, type SessionOptions, type SmtpSession } from './smtp-session.js';
import { deadlineIn, hostText, type Deadline, type Host } from './wire.js';
import type { Recipient } from './witnesses.js';

export interface AskerOptions
  extends
    Lifetimes,
    SessionOptions,
    Omit<GateOptions, 'maxWaiting'>,
    /** `unknownStatuses`: enhanced codes that mean "no such mailbox"; default: those of classify.ts. */
    Omit<BeliefOptions, 'scope'> {
  readonly hosts: readonly Host[];
  /** Longest wait of whoever asks. */
  readonly timeoutMs: number;
  readonly keptIdleMs?: number;
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
/** Of a probe, which may outlast the wait for it: Exchange takes five seconds over each refusal. */
const probeMs = 30_000;

interface Probing {
  done: Promise<Finding>;
  /** What whoever cannot wait any longer is told. */
  late: Finding;
}

export function createAsker(options: AskerOptions): Asker {
  const { cache, now, log, name, timeoutMs } = options;
  const scope = scopeOf(options);
  const maxWaiting = Math.ceil((options.maxPerSecond * timeoutMs) / 1000) + options.maxConcurrent;
  const gate = createGate({ ...options, maxWaiting });
  const onTrouble = createTroubleLog(options);
  const pool = createPool({ ...options, onTrouble });
  const belief = createBelief({ ...options, scope });
  const whenBlind = options.whenBlind === 'accept' ? acceptsAll : unanswered;
  const underWay = new Map<string, Probing>();
  const retried = new Map<string, number>();

  function ask(recipient: Recipient): Finding | Promise<Finding> {
    const entry = cache.find(scope, recipient.address);
    const age = ageOf(entry, options, now());
    if (entry !== undefined && age === 'fresh') return findingOf(entry);
    if (entry?.known === true && age === 'old') {
      askBehind(recipient, entry);
      return known;
    }
    if (isBlind(recipient)) return blind(recipient, entry);
    if (pool.down()) return unanswered;
    return inTime(probe(recipient, entry));
  }

  function askBehind(recipient: Recipient, entry: Entry | undefined): void {
    const last = retried.get(recipient.address);
    if (pool.down() || (last !== undefined && now() - last < retryMs && last <= now())) return;
    if (retried.size >= maxRetries) retried.clear();
    retried.set(recipient.address, now());
    probe(recipient, entry, true);
  }

  /** The first server takes everybody: asking it about each would tell nothing. */
  function isBlind({ domain }: Recipient): boolean {
    const [host] = options.hosts;
    return host !== undefined && belief.standing(host, domain).blind;
  }

  function blind(recipient: Recipient, entry: Entry | undefined): Finding {
    const [host] = options.hosts;
    // the next probe finds out whether it still is
    if (host !== undefined && belief.isTrialDue(host, recipient.domain)) askBehind(recipient, entry);
    return whenBlind;
  }

  /** Shared by all who ask about the address meanwhile. */
  function probe(recipient: Recipient, entry: Entry | undefined, background = false): Probing {
    const { address } = recipient;
    const going = underWay.get(address);
    if (going !== undefined) return going;
    const probing: Probing = { done: Promise.resolve(unanswered), late: unanswered };
    underWay.set(address, probing);
    probing.done = throughGate(recipient, entry, probing, background).finally(() => underWay.delete(address));
    return probing;
  }

  async function throughGate(
    recipient: Recipient,
    entry: Entry | undefined,
    probing: Probing,
    background: boolean,
  ): Promise<Finding> {
    let asked = 0;
    const counting = (session: SmtpSession): SmtpSession => ({
      ...session,
      ask: (address, deadline) => {
        asked += 1;
        if (asked > 1) gate.spend();
        return session.ask(address, deadline);
      },
    });
    const work = (): Promise<Finding> =>
      pool.use(
        (session, deadline) => examine(counting(session), recipient, entry, probing, deadline),
        deadlineIn(Math.max(probeMs, timeoutMs)),
      );
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
    recipient: Recipient,
    entry: Entry | undefined,
    probing: Probing,
    deadline: Deadline,
  ): Promise<Finding> {
    const { address, domain } = recipient;
    const { host } = session;
    const reply = await session.ask(address, deadline);
    const word = belief.word(reply);
    const finding = await judge(word);
    log.debug(
      { source: name, host: hostText(host), domain, said: reply && textOf(reply), finding: finding.kind },
      'mail server asked',
    );
    cache.count(scope, word === 'unclear' ? 'unclear' : finding.kind);
    if (finding.kind === 'known') keep(recipient, { known: true, at: now() });
    if (finding.kind === 'unknown')
      keep(recipient, { known: false, at: now(), knownUntil: finding.knownUntil });
    return finding;

    async function judge(said: Word): Promise<Finding> {
      if (said === 'known') {
        const { blind: wasBlind, triedAt } = belief.standing(host, domain);
        // it told people apart when it was last tried: its yes counts for who cannot wait for the next trial
        if (triedAt > 0 && !wasBlind) probing.late = known;
        return (await belief.yes(session, domain, deadline)) ? known : whenBlind;
      }
      if (said === 'unclear' || !(await belief.no(session, recipient, deadline))) return unanswered;
      return { kind: 'unknown', knownUntil: entry?.known === true ? now() : past(entry?.knownUntil) };
    }
  }

  function keep({ address, domain }: Recipient, entry: Entry): void {
    retried.delete(address);
    cache.put(scope, domain, address, entry);
  }

  function findingOf({ known: isKnown, knownUntil }: Entry): Finding {
    return isKnown ? known : { kind: 'unknown', knownUntil: past(knownUntil) };
  }

  /** A clock that ran ahead must not make somebody lately known for years. */
  function past(at: number | undefined): number | undefined {
    return at === undefined ? undefined : Math.min(at, now());
  }

  /** The probe goes on behind when the time has passed: its answer is there for the next question. */
  function inTime(probing: Probing): Promise<Finding> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(probing.late), timeoutMs);
      void probing.done.then((finding) => {
        clearTimeout(timer);
        resolve(finding);
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

/** Under which answers are kept: those of other servers, to another sender, or read otherwise, are other answers. */
function scopeOf({ name, hosts, sender, unknownStatuses: statuses = unknownStatuses }: AskerOptions): string {
  const how = createHash('sha256').update(JSON.stringify([sender, statuses]));
  return `${name} ${hosts.map(hostText).join(',')} ${how.digest('hex').slice(0, 12)}`;
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
