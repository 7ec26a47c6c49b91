/**
 * Control's side of a live look-up: what a source says of one address, out of memory or by asking it.
 *
 * Promises an answer within the source's `timeoutMs`, and at once for what is remembered and for whoever is turned away. One
 * look-up an address at a time, however many ask. What was found is remembered until the list has had time to take it, what
 * was not for `negativeForMs`. Never throws, never rejects: a failure is `no-answer`, and never "not found".
 */
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { noAnswer, type AskLive, type LiveAnswer, type LiveQuestion } from './answer.js';
import {
  createGuardedSource,
  type Found,
  type GuardedSource,
  type Outcome,
  type Route,
} from './guarded-source.js';
import { createMemory } from './memory.js';
import { maxClaims } from './wire.js';

export interface LookupOptions {
  /** Where a question leads; undefined when there is nobody to ask: no such source, not its domain, no address. */
  readonly route: (question: LiveQuestion) => Route | undefined;
  readonly log: Logger;
  /** Told of everybody who was found by asking the directory; `claimed`: and goes on the list now. */
  readonly onFound?: (source: string, recipient: string, claimed: boolean) => void;
  /** In ms, of a clock that never goes back; default: the process's. */
  readonly now?: () => number;
}

/** Since the start: the questions about a source by what came back, and how many look-ups reached the directory. */
export interface LookupFigures {
  readonly source: string;
  readonly answers: Readonly<Record<LiveAnswer['kind'], number>>;
  readonly finds: number;
}

export interface Lookups {
  readonly ask: AskLive;
  readonly figures: () => readonly LookupFigures[];
  /** Forgets what was heard: the sources or the domains are others now. */
  forget(): void;
  /** Answers everybody who waits. */
  close(): void;
}

const maxRemembered = 50_000;
/** The claim is a run like any other, and may wait for one that is under way. */
const positiveForMs = 10 * 60_000;

interface Remembered extends Found {
  isClaimed: boolean;
}

interface Flight {
  readonly answer: Promise<LiveAnswer>;
  /** Only people who look have asked so far. */
  look: boolean;
}

interface Asked {
  readonly source: GuardedSource;
  readonly answers: Record<LiveAnswer['kind'], number>;
}

export function createLookups(options: LookupOptions): Lookups {
  const { log, now = () => performance.now() } = options;
  const positives = createMemory<Remembered>(maxRemembered, now);
  const negatives = createMemory<true>(maxRemembered, now);
  const flights = new Map<string, Flight>();
  const sources = new Map<string, Asked>();
  let epoch = 0;
  let closed = false;

  function ask(question: LiveQuestion): LiveAnswer | Promise<LiveAnswer> {
    try {
      const route = closed ? undefined : options.route(question);
      return route === undefined ? noAnswer : counted(question, route);
    } catch (error) {
      log.error({ source: question.source, err: messageOf(error) }, 'live look-up failed');
      return noAnswer;
    }
  }

  function counted(question: LiveQuestion, route: Route): LiveAnswer | Promise<LiveAnswer> {
    const asked = askedOf(question.source);
    const count = (answer: LiveAnswer): LiveAnswer => {
      asked.answers[answer.kind] += 1;
      return answer;
    };
    const id = `${question.source}\n${route.key}`;
    const answer = remembered(id, question) ?? flown(id, question, route, asked.source);
    return answer instanceof Promise ? answer.then(count) : count(answer);
  }

  function askedOf(name: string): Asked {
    let asked = sources.get(name);
    if (asked === undefined) {
      const answers = { found: 0, 'not-found': 0, limited: 0, 'no-answer': 0 };
      asked = { source: createGuardedSource({ name, log, now }), answers };
      sources.set(name, asked);
    }
    return asked;
  }

  function remembered(id: string, { look }: LiveQuestion): LiveAnswer | undefined {
    const found = positives.get(id);
    if (found !== undefined) {
      if (!look) claimOnce(found);
      return answerOf(found);
    }
    const left = negatives.left(id);
    return left > 0 ? { kind: 'not-found', forMs: Math.ceil(left) } : undefined;
  }

  /** With the look-up that is under way, or one of its own. */
  function flown(
    id: string,
    question: LiveQuestion,
    route: Route,
    source: GuardedSource,
  ): Promise<LiveAnswer> {
    const under = flights.get(id);
    if (under !== undefined) {
      under.look &&= question.look;
      return under.answer;
    }
    const since = epoch;
    const answer = source.find(route).then((outcome) => {
      // what an old configuration led to is nobody's answer, and the flight there is now is another
      if (since !== epoch) return noAnswer;
      flights.delete(id);
      return heard(id, { ...question, look: flight.look }, route, outcome);
    });
    const flight: Flight = { answer, look: question.look };
    flights.set(id, flight);
    return answer;
  }

  function heard(id: string, { source, look }: LiveQuestion, route: Route, outcome: Outcome): LiveAnswer {
    if (outcome.kind !== 'heard') return outcome;
    const { found } = outcome;
    if (found.claims.length === 0) {
      negatives.set(id, true, route.negativeForMs);
      return { kind: 'not-found', forMs: route.negativeForMs };
    }
    const kept: Remembered = { ...found, isClaimed: false };
    positives.set(id, kept, positiveForMs);
    options.onFound?.(source, route.key, !look);
    if (!look) claimOnce(kept);
    return answerOf(kept);
  }

  return {
    ask,
    figures: () =>
      [...sources].map(([name, { source, answers }]) => ({
        source: name,
        answers: { ...answers },
        finds: source.finds(),
      })),
    forget() {
      epoch += 1;
      positives.clear();
      negatives.clear();
      flights.clear();
      for (const { source } of sources.values()) source.reset();
    },
    close() {
      closed = true;
      for (const { source } of sources.values()) source.close();
    },
  };
}

function claimOnce(found: Remembered): void {
  if (found.isClaimed) return;
  found.isClaimed = true;
  found.claim();
}

/** Those without a flag first: they say the most. */
function answerOf({ claims }: Found): LiveAnswer {
  const kindest = [...claims].sort((a, b) => a.flags - b.flags).slice(0, maxClaims);
  return { kind: 'found', claims: kindest };
}
