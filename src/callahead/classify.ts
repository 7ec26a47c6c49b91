/**
 * What a reply to RCPT says of the recipient. Pure.
 *
 * A wrong "unknown" refuses the living, so only what clearly says "no such mailbox" counts: 550, 551 or 553 with one of
 * the enhanced codes given (RFC 3463 §3.2), or, from a server that sends none, with the words for it; and in neither case
 * when it speaks of anything else that could be the reason. Everything else that is not a plain yes says nothing.
 */
import type { Reply, Word } from './finding.js';

/** Bad destination mailbox; mailbox has moved; recipient not found (as Exchange has it). */
export const unknownStatuses: readonly string[] = ['5.1.1', '5.1.6', '5.1.10'];

/** RFC 5321 §4.2.2: mailbox unavailable; user not local; mailbox name not allowed. */
const denials: ReadonlySet<number> = new Set([550, 551, 553]);

const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/;

/**
 * Said of somebody else than the recipient, or of a reason that is not "there is nobody". What may mean either belongs here:
 * it costs a defer.
 */
const elsewhere = anyWord([
  // who asks, and from where
  String.raw`senders?|mail from|from (?:an?|unknown|invalid|your|this)|clients?|helo|ehlo|hosts?|hostname|ips?|ptr|rdns|reverse|network`,
  // names and ways
  String.raw`domains?|mx|dns\w*|name (?:service|server)|(?:un)?resolv(?:e[sd]?|able|ing)|lookup (?:fail|error)\w*|route`,
  // rules; "User unknown in relay recipient table" is what Postfix says
  String.raw`relay(?:ing|ed)?(?! recipient)|polic(?:y|ies)|block\w*|spam\w*|(?:black|white|gr[ea]y|allow|deny)-?list\w*|rbl|reputation`,
  // `authorization to see it`: how Cyrus says that there is no mailbox
  String.raw`denied|prohibited|forbidden|not (?:allowed|permitted|accepted)|authenticat\w*|authori[sz](?!ation to see)\w*|restrict\w*|(?:un)?verif\w*`,
  // too much
  String.raw`rate|limit\w*|too (?:many|much)|quota|full|exceed\w*|size|storage|space`,
  // trouble
  String.raw`tempora\w*|try again|later|retry|transient|unavailable|undeliver\w*|unreachable|timed? ?out|connect\w*|refused`,
  String.raw`servers?|databases?|backend|ldap|sql|errors?|fail\w*|(?:cannot|can not|could not)(?! be found)|unable|problems?|internal`,
  // of a mailbox that there is
  String.raw`disabled|suspended|inactive|locked|expired|frozen|never sends|bounces?|backscatter`,
]);

const one = String.raw`(?:user|mailbox|recipient|address|account)`;
/** What may stand between somebody and what is said of him: his name, and words that say nothing. */
const between = String.raw`(?:\W{1,3}[\w+-]{1,64})?(?:\W{1,3}(?:here|is|was|that|you|tried|to|reach|rejected|local|user|name))*\W{1,3}`;

const nobody = [
  /\bno such (?:user|mailbox|recipient|address|person|account|local user)\b/i,
  /\bno mailbox here by that name\b/i,
  /\b(?:unknown|non-?existent|invalid) (?:local )?(?:user|mailbox|recipient|address|account|local[- ]part)\b/i,
  new RegExp(
    String.raw`\b${one}\b${between}(?:unknown|not known|not found|does(?: not|n't) exist|not exist)\b`,
    'i',
  ),
  // Exim, of a recipient that no router takes; trouble with DNS is a 451 there
  /^\s*unrouteable address\s*$/i,
];

/** qmail and its kin say it at the end: `sorry, no mailbox here by that name. (#5.1.1)`. */
const statusAtEnd = /\(#([245]\.\d{1,3}\.\d{1,3})(?: - chkuser)?\)\s*$/;

/** More is no plain word. */
const maxText = 4000;

export function wordOf({ code, lines }: Reply, statuses: readonly string[] = unknownStatuses): Word {
  // RFC 5321 §4.3.2: 250, or 251 for one that will be forwarded. 252 is no word on the recipient.
  if (code === 250 || code === 251) return 'known';
  if (!denials.has(code)) return 'unclear';
  const text = lines.map(plainText).join(' ');
  if (text.length > maxText || /\bsenders?\b/i.test(text)) return 'unclear';
  const found = lines.map((line) => (enhanced.exec(line) ?? statusAtEnd.exec(line))?.[1]);
  const [status, ...others] = found.filter((each) => each !== undefined);
  // RFC 2034 §4: each line carries the same one
  if (others.some((each) => each !== status)) return 'unclear';
  if (status !== undefined && !statuses.includes(status)) return 'unclear';
  // a code that its operator named means what he says, whatever it is called
  const isNamed = status !== undefined && !unknownStatuses.includes(status);
  if (!isNamed && elsewhere.test(text)) return 'unclear';
  return status !== undefined || nobody.some((words) => words.test(text)) ? 'unknown' : 'unclear';
}

function anyWord(words: readonly string[]): RegExp {
  return new RegExp(String.raw`\b(?:${words.join('|')})\b`, 'i');
}

/** Names must not be taken for reasons: a recipient called `relay@`, a link, a host, `on this server`. */
function plainText(line: string): string {
  return (
    line
      .replace(enhanced, '')
      .replace(statusAtEnd, '')
      .replace(/https?:\/\/\S*/gi, ' ')
      .replace(/<[^<>]{0,1000}>|[^\s<>()",;:]{1,256}@[^\s<>()",;]{1,256}/g, ' ')
      .replace(/\b[\w-]{1,63}(?:\.[\w-]{1,63}){2,}/g, ' ')
      .replace(/\b(?:on|at|in) this (?:server|host|system|site|domain)\b/gi, ' ')
      // RFC 5321 §4.2.2: the text of 550 itself
      .replace(/\bmailbox unavailable\b/gi, ' ')
  );
}
