/** What can be wrong in a Haraka. */
import type { Fault } from './fault.js';

const snippet = '`rollcall snippet haraka` prints the lines.';

export const harakaFaults = {
  'haraka-no-plugins': {
    level: 'error',
    why: 'Without config/plugins Haraka runs its own default list, in which Rollcall is not.',
    mend: `Name the folder of your Haraka; ${snippet}`,
  },
  'haraka-not-asked': {
    level: 'error',
    why: 'Rollcall is never asked. Mail for nobody is accepted, and has to be bounced to senders who are mostly forged.',
    mend: snippet,
  },
  'haraka-order': {
    level: 'warn',
    why: 'The first OK at RCPT ends the asking. The plugin of Rollcall goes first by its priority; a copy or an older one may not.',
    mend: 'Put the plugin of Rollcall before it in config/plugins, so that the order can be read there.',
  },
  'haraka-second-validator': {
    level: 'warn',
    why: 'Another plugin knows recipients too. Two lists of the same people drift apart.',
    mend: 'Take it out, unless it is for other domains.',
  },
  'haraka-wrong-address': {
    level: 'error',
    why: 'Nobody answers there, so everybody is deferred; or something else does.',
    mend: `Use the address of Rollcall's door, or change its \`listen\`. ${snippet}`,
  },
  'haraka-domain-unserved': {
    level: 'warn',
    why: 'Haraka accepts mail for it, and Rollcall does not know it: nobody checks its recipients.',
    mend: 'Add it under `domains`, or take it out of config/host_list.',
  },
  'haraka-domain-missing': {
    level: 'warn',
    why: 'Rollcall serves it, but this Haraka takes no mail for it.',
    mend: 'Add it to config/host_list; nothing to do if another mail server has it.',
  },
} as const satisfies Readonly<Record<`haraka-${string}`, Fault>>;
