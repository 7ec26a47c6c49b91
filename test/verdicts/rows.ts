/**
 * The verdict table as questions and answers: every reason, in the modes enforce and observe where they differ, and the
 * lists and domains that bring each about. table.test.ts asks them through every door.
 */
import type { Action, Reason } from '../../src/policy/verdict.js';

const lists = [
  'Found, not found, later: no code, text or reference. The MTA makes its own of them.',
  'The sender is not told: a group that takes no mail from outside is found.',
  'A domain that is not ours is later: the MTA relays for it, and Rollcall knows nothing of it.',
  'A key that Postfix sends unquoted is the meaning of an address: a wrong spelling is a local part nobody has.',
  'An accept of mode observe is found like any other.',
] as const;
const unquoted =
  'The address comes as its meaning, unquoted: a wrong spelling is not seen, it is a local part nobody has.';

/** The doors, and what the protocol of each cannot say. Everything else must be the same everywhere. */
export const protocolDifferences = {
  decide: [],
  cli: [],
  api: [],
  http: ['A reply text that carries a reference has it in the text too, ready to be sent.'],
  smtp: [
    'An accept has no reason: the reply is 250 2.1.5.',
    'An accept of mode observe does not say what it would have been; like a refusal, it ends with a reference.',
  ],
  proxy: [
    'An accept is the next hop’s own reply.',
    'A refusal ends with a reference; an accept of mode observe is the next hop’s reply like any other.',
  ],
  policy: [
    'An accept is DUNNO: Postfix goes on to its next restriction.',
    'A domain that is not ours is DUNNO too: an asking edge has no opinion there.',
    'An accept of mode observe is DUNNO like any other.',
    unquoted,
    'A refusal ends with a reference.',
  ],
  milter: [
    'An accept is CONTINUE, and so is one of mode observe.',
    'A domain that is not ours is CONTINUE too: an asking edge has no opinion there.',
    'What cannot be read as it was typed is judged as the mail server reads it ({rcpt_addr}), which has no wrong spellings.',
    'A refusal ends with a reference.',
  ],
  readsocket: [
    'An accept has no reason: the line is 250 2.1.5; one of mode observe ends with a reference.',
    'A domain that is not ours is DUNNO: an asking edge has no opinion there.',
    unquoted,
    'A refusal ends with a reference.',
  ],
  socketmap: lists,
  tcp: lists,
} as const;
export type Door = keyof typeof protocolDifferences;

export interface Row {
  readonly reason: Reason;
  readonly address: string;
  readonly from: string;
  /** `action code status`. */
  readonly verdict: `${Action} ${number} ${string}`;
  /** In mode observe: what it would have been. */
  readonly wouldBe?: string;
  /** Where a question without quotes means something else: the verdict then. */
  readonly unquoted?: Row['verdict'];
}

const outside = 'somebody@elsewhere.test';
const accept = 'accept 250 2.1.5';
/** Past every length of a local part (256 octets), in whatever form it comes. */
const tooLong = 'x'.repeat(257);

function row(
  reason: Reason,
  address: string,
  verdict: Row['verdict'],
  more: Partial<Pick<Row, 'from' | 'unquoted'>> = {},
): Row {
  return { reason, address, verdict, from: outside, ...more };
}

/** In domains of mode enforce. */
export const enforced: readonly Row[] = [
  row('known', 'person@example.com', accept),
  row('known', 'PERSON@Example.COM', accept),
  row('known', 'all@example.com', accept, { from: 'person@example.com' }),
  row('known', 'all@example.com', accept, { from: '' }),
  row('subaddress', 'person+news@example.com', accept),
  row('alias-domain', 'person@alias.example', accept),
  row('pattern', 'ticket-17@example.com', accept),
  row('always', 'postmaster@example.com', accept),
  row('catch-all', 'anybody@all.example', accept),
  row('off', 'anybody@off.example', accept),
  row('unknown', 'nobody@example.com', 'reject 550 5.1.1'),
  row('unknown', 'nobody+person@example.com', 'reject 550 5.1.1'),
  row('unknown', 'nobody@alias.example', 'reject 550 5.1.1'),
  row('removed', 'gone@example.com', 'defer 450 4.2.1'),
  row('disabled', 'disabled@example.com', 'reject 550 5.2.1'),
  row('internal-only', 'all@example.com', 'reject 550 5.7.1'),
  row('bad-syntax', `${tooLong}@example.com`, 'reject 553 5.1.3'),
  row('bad-syntax', 'a(b@example.com', 'reject 553 5.1.3', { unquoted: 'reject 550 5.1.1' }),
  row('not-our-domain', 'person@elsewhere.test', 'reject 550 5.7.1'),
  row('not-our-domain', 'person@sub.example.com', 'reject 550 5.7.1'),
  row('stale', 'nobody@stale.example', 'defer 451 4.4.3'),
  row('known', 'person@stale.example', accept),
  row('stale', 'nobody@lenient.example', accept),
  row('never-synced', 'person@never.example', 'defer 451 4.4.3'),
];

/** The same domain policy in mode observe: every reject and defer is an accept that says what it would have been. */
export const observed: readonly Row[] = (
  [
    ['unknown', 'nobody@observe.example', 'reject 550 5.1.1'],
    ['removed', 'gone@observe.example', 'defer 450 4.2.1'],
    ['disabled', 'disabled@observe.example', 'reject 550 5.2.1'],
    ['internal-only', 'all@observe.example', 'reject 550 5.7.1'],
    ['bad-syntax', `${tooLong}@observe.example`, 'reject 553 5.1.3'],
    ['stale', 'nobody@stale-observe.example', 'defer 451 4.4.3'],
    ['never-synced', 'nobody@never-observe.example', 'defer 451 4.4.3'],
  ] as const
).map(([reason, address, wouldBe]) => ({ ...row(reason, address, accept), wouldBe }));

/** Where the snapshot cannot be read. */
export const failed: readonly Row[] = [
  row('failure', 'person@example.com', 'defer 451 4.4.3'),
  row('failure', 'nobody@example.com', 'defer 451 4.4.3'),
  row('always', 'postmaster@example.com', accept),
  row('not-our-domain', 'person@elsewhere.test', 'reject 550 5.7.1'),
  { ...row('failure', 'nobody@observe.example', accept), wouldBe: 'defer 451 4.4.3' },
];

const both = { sources: ['staff', 'directory'] };

export const domains = {
  'example.com': { mode: 'enforce', ...both, patterns: ['ticket-*'] },
  'observe.example': { mode: 'observe', ...both },
  'alias.example': { mode: 'enforce', aliasOf: 'example.com' },
  'all.example': { mode: 'enforce', sources: ['staff'], catchAll: true },
  'off.example': { mode: 'off', sources: ['staff'] },
  'stale.example': { mode: 'enforce', sources: ['staff'], staleAfter: '1s' },
  'lenient.example': { mode: 'enforce', sources: ['staff'], staleAfter: '1s', whenStale: 'accept' },
  'stale-observe.example': { mode: 'observe', sources: ['staff'], staleAfter: '1s' },
  'never.example': { mode: 'enforce', sources: ['uploads'] },
  'never-observe.example': { mode: 'observe', sources: ['uploads'] },
};

const listed = [
  'example.com',
  'observe.example',
  'stale.example',
  'lenient.example',
  'stale-observe.example',
];

/** The CSV list `staff`; `gone` stands in the first one only. */
export function staffList({ withGone }: { readonly withGone: boolean }): string {
  const rows = listed.flatMap((domain) => [
    `person@${domain},no`,
    `disabled@${domain},yes`,
    ...(withGone ? [`gone@${domain},no`] : []),
  ]);
  return `email,disabled\n${rows.join('\n')}\n`;
}

/** The group in the directory that takes mail from inside only. */
export const internalGroup = ['all@example.com', 'all@observe.example'];
