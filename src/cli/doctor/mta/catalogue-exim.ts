/** What can be wrong in an Exim. */
import type { Fault } from './fault.js';

const snippet = '`rollcall snippet exim` prints the lines.';
const accepts = 'Mail for nobody is accepted, and has to be bounced to senders who are mostly forged.';

export const eximFaults = {
  'exim-no-rcpt-acl': {
    level: 'error',
    why: 'Without acl_smtp_rcpt there is no place where recipients are checked.',
    mend: `Set acl_smtp_rcpt. ${snippet}`,
  },
  'exim-not-asked': { level: 'error', why: `Rollcall is never asked. ${accepts}`, mend: snippet },
  'exim-wrong-address': {
    level: 'error',
    why: 'Nobody answers there, so everybody is deferred; or something else does.',
    mend: `Use the address of Rollcall, or change \`listen\` of the door. ${snippet}`,
  },
  'exim-accept-before': {
    level: 'error',
    why: 'The first accept ends the ACL: Rollcall after it is not asked.',
    mend: 'Put the lines of Rollcall before it, or give it a condition on your own hosts or users.',
  },
  'exim-verify-without-callout': {
    level: 'error',
    why: `For domains that are passed on, verify = recipient without callout only looks whether there is a route. ${accepts}`,
    mend: snippet,
  },
  'exim-defer-ok': {
    level: 'error',
    why: `While Rollcall cannot be asked everybody is let in. ${accepts}`,
    mend: 'Take defer_ok out.',
  },
  'exim-fail-open': {
    level: 'error',
    why: `While Rollcall cannot be asked everybody is let in. ${accepts}`,
    mend: 'Let the last argument of readsocket be a 4xx, and defer on it.',
  },
  'exim-fail-hard': {
    level: 'error',
    why: 'While Rollcall cannot be asked, people who exist are refused for good.',
    mend: 'Let the last argument of readsocket be a 4xx, and defer on it.',
  },
  'exim-no-failure-text': {
    level: 'warn',
    why: 'While Rollcall cannot be asked the expansion fails: Exim defers, with "temporary local problem" for a text.',
    mend: 'Give readsocket its fifth argument, such as {451 4.4.3 Recipients cannot be checked now}.',
  },
  'exim-callout-cache': {
    level: 'warn',
    why: 'Exim keeps a refusal by itself for two hours: somebody new stays refused so long.',
    mend: 'callout=10s,no_cache, or a short callout_negative_expire.',
  },
  'exim-wildcard': {
    level: 'error',
    why: `It makes every recipient of the domain known. ${accepts}`,
    mend: 'Name the addresses, and look them up without `*` or `*@` after the lookup type.',
  },
  'exim-sqlite': {
    level: 'error',
    why: 'Exim takes an error of SQLite (a locked or missing file) for "not found", and refuses people who exist.',
    mend: 'Ask Rollcall by readsocket, export a file for lsearch, or make the query answer with a row in any case (coalesce).',
  },
  'exim-domain-unserved': {
    level: 'warn',
    why: 'Exim accepts mail for it, and Rollcall does not know it: nobody checks its recipients.',
    mend: 'Add it under `domains`, or take it out of Exim.',
  },
} as const satisfies Readonly<Record<`exim-${string}`, Fault>>;
