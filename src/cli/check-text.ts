/** An explanation for people. */
import type { Explanation } from '../policy/explain.js';
import type { Reason } from '../policy/verdict.js';
import { ago, clean, count, moment, showKey, table } from './text.js';

const why = {
  known: 'a list names this address',
  subaddress: 'a list names the address without its subaddress',
  'alias-domain': 'a list names the address in the domain this one is an alias of',
  pattern: 'a pattern of the domain matches, and no list names it',
  always: 'this local part is always known (RFC 5321 §4.5.1, RFC 2142)',
  'catch-all': 'the domain accepts every local part',
  off: 'the domain is switched off: everything is accepted',
  unknown: 'no list names this address, and the lists are fresh and complete',
  removed: 'the address left the list a short while ago: deferred until `removed.deferFor` is over',
  disabled: 'every claim says that the account is disabled',
  'internal-only': 'it takes mail from senders of our own domains only',
  'bad-syntax': 'this is not an address',
  'not-our-domain': 'no configured domain is that of the address',
  stale: 'no list names this address, but a list of the domain is too old or not complete, so it may exist',
  'never-synced': 'no list names this address, but the domain has no complete list with an address in it yet',
  failure: 'the snapshot could not be read',
} satisfies Record<Reason, string>;

/** What the domain's own mail server had a word in; only for addresses that no list has. */
const whyAsked: Partial<Record<Reason, string>> = {
  known: "the domain's own mail server takes it",
  'catch-all': "the domain's own mail server takes every recipient, so it tells nothing",
  unknown: "the domain's own mail server says that there is no such mailbox",
  removed: "the domain's own mail server took it until lately: deferred until `removed.deferFor` is over",
  failure: "the domain's own mail server gave no clear answer, or the snapshot could not be read",
};

export interface CheckContext {
  readonly now: number;
  readonly lastMail: number | undefined;
  readonly trouble: string | undefined;
}

export function checkLines(it: Explanation, { now, lastMail, trouble }: CheckContext): string[] {
  const facts = [
    ['reason', `${it.reason}: ${whyOf(it)}`],
    ...(it.wouldBe === null
      ? []
      : [['observed', `in mode enforce: ${it.wouldBe.action}, ${it.wouldBe.code} ${it.wouldBe.status}`]]),
    ...(trouble === undefined ? [] : [['trouble', trouble]]),
    ...(it.recipient === null ? [] : [['recipient', showKey(it.recipient)]]),
    ...(it.domain === null
      ? []
      : [
          [
            'domain',
            `${it.domain}, mode ${it.mode ?? ''}, ${it.freshness === null ? 'no lists' : `lists ${it.freshness}`}`,
          ],
        ]),
    ...(it.live.length === 0 ? [] : [['asked now', liveText(it.live)]]),
    ...(it.mailServers.length === 0 ? [] : [['asked', it.mailServers.join(', ')]]),
    ['generation', it.generation === null ? 'none: nothing was published yet' : count(it.generation)],
    ...(lastMail === undefined ? [] : [['last mail', `${ago(lastMail, now)} (${moment(lastMail)})`]]),
  ];
  return [
    `${clean(it.address)}: ${it.action}, ${it.code} ${it.status} ${it.text}`,
    ...facts.map(([name = '', value = '']) => `  ${name.padEnd(11)} ${clean(value)}`),
    ...section('Claims', claimsTable(it)),
    ...section('Lists', listsTable(it, now)),
    ...section('History', historyTable(it, now)),
  ];
}

function whyOf({ reason, mailServers, claims, live }: Explanation): string {
  const isKnown = reason === 'known' || reason === 'subaddress' || reason === 'alias-domain';
  if (live.some(({ answer }) => answer === 'found') && claims.length === 0)
    return isKnown ? foundNow : `${why[reason]}, says the directory, asked just now`;
  const isAsked = mailServers.length > 0 && claims.length === 0;
  return (isAsked ? whyAsked[reason] : undefined) ?? why[reason];
}

const foundNow = 'the directory has it, asked just now; no list names it yet';

const liveAnswers = {
  found: 'has it',
  'not-found': 'does not have it',
  limited: 'not asked: more is asked than may be',
  'no-answer': 'no answer, or control is not running',
} satisfies Record<Explanation['live'][number]['answer'], string>;

/** `staff: has ada@example.com`. */
function liveText(live: Explanation['live']): string {
  return live
    .map(({ source, recipient, answer }) => `${source}, ${showKey(recipient)}: ${liveAnswers[answer]}`)
    .join('; ');
}

function section(title: string, body: string): string[] {
  return body === '' ? [] : ['', title, body];
}

function claimsTable({ claims }: Explanation): string {
  if (claims.length === 0) return '';
  const rows = claims.map((claim) => [
    claim.source,
    claim.object,
    claim.attribute,
    claim.kind,
    [claim.disabled ? 'disabled' : '', claim.internalOnly ? 'internal-only' : ''].filter(Boolean).join(' '),
    String(claim.sinceRun),
  ]);
  return table(['source', 'object', 'attribute', 'kind', 'flags', 'since run'], rows, '  ');
}

function listsTable({ sources }: Explanation, now: number): string {
  if (sources.length === 0) return '';
  const rows = sources.map((source) => [
    source.source,
    source.addresses,
    source.completeAt === null ? 'never complete' : `complete ${ago(Date.parse(source.completeAt), now)}`,
    source.pending ? 'additions held' : '',
  ]);
  return table(['source', 'addresses here', 'last read', ''], rows, '  ');
}

function historyTable({ history }: Explanation, now: number): string {
  if (history.length === 0) return '';
  const rows = history.map((change) => [
    change.op,
    ago(Date.parse(change.at), now),
    change.source,
    change.object,
    `run ${change.run}`,
  ]);
  return table(['', 'when', 'source', 'object', ''], rows, '  ');
}
