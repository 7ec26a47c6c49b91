/**
 * What a reply to RCPT says of the recipient. Pure.
 *
 * A wrong "unknown" refuses the living, so only what clearly says "no such mailbox" counts: 550, 551 or 553 with one of
 * the enhanced codes given (RFC 3463 §3.2), or, from a server that sends none, with the words for it. Everything else that
 * is not a plain yes says nothing: greylisting, policy, relaying denied, blocked clients, and whatever speaks of the sender.
 */
import type { Reply, Word } from './finding.js';

/** Bad destination mailbox; mailbox has moved; recipient not found (as Exchange has it). */
export const unknownStatuses: readonly string[] = ['5.1.1', '5.1.6', '5.1.10'];

/** RFC 5321 §4.2.2: mailbox unavailable; user not local; mailbox name not allowed. */
const denials: ReadonlySet<number> = new Set([550, 551, 553]);

const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/;

/** Said of somebody else than the recipient, or of a reason that is not "there is nobody". */
const elsewhere =
  /\b(?:senders?|client|helo|ehlo|relay(?:ing)?|polic(?:y|ies)|block(?:ed|ing|list(?:ed)?)?|spam|black-?list(?:ed)?|dns[bw]l|rbl|reputation|grey-?list(?:ed|ing)?|gray-?list(?:ed|ing)?|rate|quota|full|tempora(?:ry|rily)|try again|later|authenticat\w*)\b/i;

const nobody = [
  /\bno such (?:user|mailbox|recipient|address|person|account|local user)\b/i,
  /\b(?:unknown|non-?existent|invalid) (?:local )?(?:user|mailbox|recipient|address|account|local[- ]part)\b/i,
  /\b(?:user|mailbox|recipient|address|account)\b.{0,80}?\b(?:unknown|not known|not found|does(?: not|n't) exist|not exist)\b/i,
];

export function wordOf({ code, lines }: Reply, statuses: readonly string[] = unknownStatuses): Word {
  // RFC 5321 §4.3.2: 250, or 251 for one that will be forwarded. 252 is no word on the recipient.
  if (code === 250 || code === 251) return 'known';
  if (!denials.has(code)) return 'unclear';
  const found = lines.map((line) => enhanced.exec(line)?.[1]);
  const [status] = found;
  const text = lines.map(withoutAddresses).join(' ');
  if (/\bsenders?\b/i.test(text)) return 'unclear';
  // RFC 2034 §4: each line carries the same one
  if (status !== undefined)
    return found.every((each) => each === undefined || each === status) && statuses.includes(status)
      ? 'unknown'
      : 'unclear';
  return !elsewhere.test(text) && nobody.some((words) => words.test(text)) ? 'unknown' : 'unclear';
}

/** A recipient called `relay@` or `full@` must not be taken for a reason. */
function withoutAddresses(line: string): string {
  return line.replace(/<[^<>]{0,1000}>|[^\s<>()",;:]{1,256}@[^\s<>()",;]{1,256}/g, ' ');
}
