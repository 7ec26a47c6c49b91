/**
 * Confirm on a miss: before an address is unknown, the directories behind its lists are asked about it.
 *
 * Promises: only `unknown` is asked about, which decide says of fresh and complete lists alone; what a directory answers is
 * merged by the very rules of the lists (subaddresses, alias domains, case, disabled, internal-only); no answer, a refusal to
 * ask, a failure of its own: the list's word stands. Never makes an accept anything else, never throws, never rejects. An
 * address that left the list lately (`removed`) is not asked about: it is deferred already, and a person who rolled it back
 * would find it there again.
 */
import { foldLocal } from '../address/key.js';
import { parseInternal, parseMailbox, type Mailbox } from '../address/mailbox.js';
import { subaddressBases } from '../address/subaddress.js';
import type { LiveAnswer } from '../live/answer.js';
import type { LookupView } from '../lookup/reader.js';
import type { Slot } from '../lookup/snapshot.js';
import { askLists, type Finding } from './ask-lists.js';
import { toVerdict } from './decide.js';
import type { DomainPolicy, DomainTable } from './domain-table.js';
import type { Confirm, LiveWord, Question, Verdict } from './verdict.js';

export interface MissOptions {
  readonly domains: () => DomainTable;
  /** Whether that source can be asked about one address. */
  readonly isLive: (source: string) => boolean;
  /** `address`: a mailbox in its internal form, as it was asked. Answers within the source's deadline; never rejects. */
  readonly askSource: (source: string, address: string) => LiveAnswer | Promise<LiveAnswer>;
  readonly reference: () => string;
  readonly now: () => number;
  readonly onFailure?: (error: unknown, question: Question) => void;
}

/** The address itself, and of its bases the longest and the shortest: whoever is there is there under one of them. */
const maxLocals = 3;

/** One local part, in its own domain and where that is an alias of. */
type Candidate = readonly { readonly address: string; readonly key: string }[];

interface Asked {
  readonly question: Question;
  readonly verdict: Verdict;
  readonly policy: DomainPolicy;
  readonly mailbox: Mailbox;
}

export function createConfirmOnMiss(options: MissOptions): Confirm {
  return (question, verdict) => {
    try {
      return confirm(options, question, verdict);
    } catch (error) {
      options.onFailure?.(error, question);
      return undefined;
    }
  };
}

function confirm(
  options: MissOptions,
  question: Question,
  verdict: Verdict,
): Verdict | Promise<Verdict> | undefined {
  const reason = verdict.wouldBe?.reason ?? verdict.reason;
  if (reason !== 'unknown' || verdict.domain === undefined) return undefined;
  const policy = options.domains().find(verdict.domain);
  const sources = policy?.sources.filter(options.isLive) ?? [];
  if (policy === undefined || sources.length === 0) return undefined;
  const parsed =
    question.form === 'internal' ? parseInternal(question.recipient) : parseMailbox(question.recipient);
  if (!parsed.ok) return undefined;
  const asked = { question, verdict, policy, mailbox: parsed.mailbox };
  // all at once, so that the deadline of one is that of all
  const said = candidatesOf(parsed.mailbox, policy).map((candidate) => askAll(options, sources, candidate));
  const known = said.flat().filter((word): word is Word => !(word instanceof Promise));
  if (known.length === said.flat().length) return conclude(options, asked, known) ?? asItWas(verdict, known);
  return inTurn(options, asked, said).catch((error: unknown) => {
    options.onFailure?.(error, question);
    return verdict;
  });
}

interface Word extends LiveWord {
  readonly slots: readonly Slot[];
}

/** The same parts of an address that the lists are asked about (ask-lists.ts), few of them. */
function candidatesOf({ local, domain }: Mailbox, policy: DomainPolicy): Candidate[] {
  const bases = subaddressBases(local, policy.subaddress);
  const locals = [...new Set([local, ...bases.slice(0, maxLocals - 2), ...bases.slice(-1)])];
  const domains = policy.aliasOf === undefined ? [domain] : [domain, policy.aliasOf];
  return locals.map((each) =>
    domains.map((of) => ({ address: `${each}@${of}`, key: `${foldLocal(each)}@${of}` })),
  );
}

function askAll(
  options: MissOptions,
  sources: readonly string[],
  candidate: Candidate,
): (Word | Promise<Word>)[] {
  return candidate.flatMap(({ address, key }) =>
    sources.map((source) => {
      const answer = options.askSource(source, address);
      return answer instanceof Promise
        ? answer.then((late) => wordOf(source, key, late))
        : wordOf(source, key, answer);
    }),
  );
}

function wordOf(source: string, recipient: string, answer: LiveAnswer): Word {
  const claims = answer.kind === 'found' ? answer.claims : [];
  const slots = claims.map(({ flags, spelling }) => ({
    source,
    flags,
    removedAt: null,
    spellings: spelling,
  }));
  return { source, recipient, answer: answer.kind, slots };
}

/** The address before its bases, as on the lists; whoever is found is not kept waiting for the rest. */
async function inTurn(
  options: MissOptions,
  asked: Asked,
  said: readonly (readonly (Word | Promise<Word>)[])[],
): Promise<Verdict> {
  const words: Word[] = [];
  for (const each of said) {
    words.push(...(await Promise.all(each.map((word) => Promise.resolve(word)))));
    const verdict = conclude(options, asked, words);
    if (verdict !== undefined) return verdict;
  }
  return asItWas(asked.verdict, words);
}

/** The verdict on what was found; undefined when nothing was. */
function conclude(options: MissOptions, asked: Asked, words: readonly Word[]): Verdict | undefined {
  const { mailbox, policy, question } = asked;
  if (words.every(({ slots }) => slots.length === 0)) return undefined;
  const { domains, now } = options;
  const finding: Finding | undefined = askLists(
    { domains, now, lookup: viewOf(words) },
    policy,
    mailbox,
    foldLocal(mailbox.local),
    question,
  );
  if (finding === undefined) return undefined;
  return { ...toVerdict(finding, options.reference, true), live: words.map(toLiveWord) };
}

/** What was heard, as if it stood on a list. */
function viewOf(words: readonly Word[]): LookupView {
  return {
    find: (_tenant, key) => words.filter(({ recipient }) => recipient === key).flatMap(({ slots }) => slots),
    coverage: () => undefined,
    generation: () => undefined,
  };
}

function asItWas(verdict: Verdict, words: readonly Word[]): Verdict {
  return { ...verdict, live: words.map(toLiveWord) };
}

function toLiveWord({ source, recipient, answer }: Word): LiveWord {
  return { source, recipient, answer };
}

/** Several who may be asked: the next one only while the verdict is no plain accept. */
export function firstOf(first: Confirm, second: Confirm): Confirm {
  const goOn = (question: Question, verdict: Verdict): Verdict | Promise<Verdict> => {
    if (verdict.action === 'accept' && verdict.wouldBe === undefined) return verdict;
    const keepWords = (next: Verdict): Verdict => ({ ...next, live: verdict.live });
    const next = second(question, verdict);
    if (next === undefined) return verdict;
    return next instanceof Promise ? next.then(keepWords) : keepWords(next);
  };
  return (question, verdict) => {
    const said = first(question, verdict);
    if (said === undefined) return second(question, verdict);
    return said instanceof Promise ? said.then((late) => goOn(question, late)) : goOn(question, said);
  };
}
