/** Doctor on the configuration of a Postfix: each fault is found where it is, and not where it is not. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import type { FaultId, MtaFinding } from '../../src/cli/doctor/mta/catalogue.js';
import { postfixFaults } from '../../src/cli/doctor/mta/catalogue-postfix.js';
import { parsePostconf } from '../../src/cli/doctor/mta/postconf-parse.js';
import { analysePostfix } from '../../src/cli/doctor/mta/postfix.js';
import type { Facts } from '../../src/cli/snippet/facts.js';

const at = (port: number) => [{ host: '127.0.0.1', port }];
const facts: Facts = {
  doors: {
    smtp: at(2525),
    policy: at(10040),
    milter: at(10041),
    proxy: at(10042),
    socketmap: at(10044),
    tcp: at(10045),
  },
  proxyForeign: 'pass',
  domains: [{ name: 'example.com', mode: 'enforce', includeSubdomains: false, subaddress: ['+'] }],
};

const smtpd = 'smtp inet n - n - - smtpd';
const policy = 'check_policy_service inet:127.0.0.1:10040';
const noSubdomains = 'parent_domain_matches_subdomains = mynetworks';
const base = [
  'mydestination =',
  'relay_domains = example.com',
  noSubdomains,
  'relay_recipient_maps =',
  'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination',
];
const restrictions = (list: string): string => `smtpd_recipient_restrictions = ${list}`;
const byPolicy = [...base, restrictions(`permit_mynetworks, reject_unauth_destination, ${policy}`)];
const bySocketmap = [...base, 'relay_recipient_maps = socketmap:inet:127.0.0.1:10044:recipients'];
const byMilter = [...base, 'smtpd_milters = inet:127.0.0.1:10041'];
const byProxy = [...base, 'smtpd_proxy_filter = 127.0.0.1:10042'];
const byVerify = [
  ...base,
  restrictions('permit_mynetworks, reject_unauth_destination, reject_unverified_recipient'),
  'address_verify_transport_maps = inline:{ example.com=smtp:[127.0.0.1]:2525 }',
  'unverified_recipient_reject_code = 550',
  'unverified_recipient_reject_reason = No such mailbox here',
  'address_verify_negative_expire_time = 10m',
];

const files: Record<string, string> = {
  '/etc/postfix/virtual': '# people\nbob@example.com bob\n@example.com  everybody@elsewhere.test\n',
  '/etc/postfix/elsewhere': 'bob@other.test bob\n@other.test everybody\n',
  '/etc/postfix/people': 'bob@example.com OK\n',
  '/etc/postfix/access': '192.0.2.1 OK\n',
  '/etc/postfix/blocked': '192.0.2.1 REJECT\n',
  '/etc/postfix/pattern': '/^.*@example\\.com$/ OK\n',
};

function analyse(
  lines: readonly string[],
  services: readonly string[] = [smtpd],
  given = facts,
): MtaFinding[] {
  return analysePostfix({
    postconf: parsePostconf([...lines, ...services].join('\n')),
    lineOf: () => 'main.cf:7',
    read: (path) => files[path],
    facts: given,
  });
}

const idsOf = (findings: readonly MtaFinding[]): FaultId[] =>
  findings.flatMap(({ id }) => (id === undefined ? [] : [id]));

interface Case {
  readonly id: keyof typeof postfixFaults;
  readonly good?: readonly string[];
  readonly bad: readonly string[];
  readonly services?: readonly string[];
  readonly goodServices?: readonly string[];
  readonly facts?: Facts;
}

const chrooted = 'smtp inet n - y - - smtpd';
const onSocket: Facts = { ...facts, doors: { policy: [{ path: '/run/rollcall/policy.sock' }] } };

const cases: readonly Case[] = [
  { id: 'postfix-not-asked', bad: base },
  { id: 'postfix-wrong-address', bad: [...base, restrictions('check_policy_service inet:127.0.0.1:10140')] },
  {
    id: 'postfix-overridden',
    bad: byPolicy,
    services: [
      'smtp inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination',
    ],
    goodServices: [smtpd, 'submission inet n - n - - smtpd -o smtpd_recipient_restrictions='],
  },
  {
    id: 'postfix-policy-bypassed',
    bad: [...base, restrictions(`reject_unauth_destination, permit_auth_destination, ${policy}`)],
  },
  {
    id: 'postfix-access-map',
    bad: [...base, restrictions(`check_client_access hash:/etc/postfix/access, ${policy}`)],
    good: [...base, restrictions(`check_client_access hash:/etc/postfix/blocked, ${policy}`)],
  },
  {
    id: 'postfix-before-unauth',
    bad: [...byPolicy, 'smtpd_relay_restrictions =', restrictions(`${policy}, reject_unauth_destination`)],
  },
  {
    id: 'postfix-early-list',
    bad: [...base, 'smtpd_delay_reject = no', `smtpd_client_restrictions = ${policy}`],
    good: [...base, `smtpd_client_restrictions = ${policy}`],
  },
  { id: 'postfix-late-list', bad: [...base, `smtpd_data_restrictions = ${policy}`] },
  {
    id: 'postfix-relay-list-only',
    bad: [...base, `smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination, ${policy}`],
  },
  {
    id: 'postfix-warn-only',
    bad: [...base, restrictions(`reject_unauth_destination, warn_if_reject ${policy}`)],
  },
  { id: 'postfix-fail-open', bad: [...byPolicy, 'smtpd_policy_service_default_action = DUNNO'] },
  { id: 'postfix-fail-open', good: byMilter, bad: [...byMilter, 'milter_default_action = accept'] },
  {
    id: 'postfix-fail-open',
    good: [
      ...base,
      restrictions('check_policy_service { inet:127.0.0.1:10040, { default_action = 451 4.3.5 Later } }'),
      'smtpd_policy_service_default_action = DUNNO',
    ],
    bad: [...base, restrictions('check_policy_service { inet:127.0.0.1:10040, default_action=DUNNO }')],
  },
  {
    id: 'postfix-fail-open',
    good: [
      ...base,
      'milter_default_action = accept',
      'smtpd_milters = inet:localhost:8891 { inet:127.0.0.1:10041, default_action=tempfail }',
    ],
    bad: [...base, 'smtpd_milters = { inet:127.0.0.1:10041, default_action=accept }'],
  },
  {
    id: 'postfix-fail-open',
    good: byVerify,
    bad: [...byVerify, 'unverified_recipient_tempfail_action = permit'],
  },
  { id: 'postfix-fail-hard', bad: [...byPolicy, 'smtpd_policy_service_default_action = REJECT'] },
  { id: 'postfix-fail-hard', good: byVerify, bad: [...byVerify, 'unverified_recipient_defer_code = 550'] },
  { id: 'postfix-verify-code', good: byVerify, bad: [...byVerify, 'unverified_recipient_reject_code = 450'] },
  {
    id: 'postfix-verify-code',
    good: byVerify,
    bad: byVerify.filter((line) => !line.startsWith('unverified_recipient_reject_code')),
  },
  { id: 'postfix-verify-reason', good: byVerify, bad: [...byVerify, 'unverified_recipient_reject_reason ='] },
  {
    id: 'postfix-verify-cache',
    good: byVerify,
    bad: [...byVerify, 'address_verify_negative_expire_time = 3d'],
  },
  {
    id: 'postfix-verify-fallback',
    good: [...byVerify, 'smtp_fallback_relay = backup.example.net'].map((line) =>
      line.replace('=smtp:', '=rollcall_verify:'),
    ),
    goodServices: [smtpd, 'rollcall_verify unix - - n - - smtp -o smtp_fallback_relay='],
    bad: [...byVerify, 'smtp_fallback_relay = backup.example.net'],
    services: [smtpd, 'smtp unix - - n - - smtp'],
  },
  { id: 'postfix-verify-fallback', good: byVerify, bad: [...byVerify, 'fallback_relay = [192.0.2.1]'] },
  {
    id: 'postfix-alias-unlisted',
    bad: [...byPolicy, 'virtual_alias_maps = hash:/etc/postfix/virtual'],
    good: [...bySocketmap, 'virtual_alias_maps = hash:/etc/postfix/virtual'],
  },
  {
    id: 'postfix-alias-unlisted',
    bad: [...byMilter, 'virtual_alias_maps = ldap:/etc/postfix/aliases.cf'],
    good: [...byMilter, 'virtual_alias_maps = hash:/etc/postfix/elsewhere'],
  },
  {
    id: 'postfix-virtual-table',
    bad: [...base, 'virtual_mailbox_maps = socketmap:inet:127.0.0.1:10044:recipients'],
    good: [
      ...base,
      'virtual_mailbox_maps = socketmap:inet:127.0.0.1:10044:recipients',
      'virtual_transport = lmtp:unix:private/lmtp',
    ],
  },
  {
    id: 'postfix-mail-to-rollcall',
    good: byVerify,
    bad: [...byVerify, 'relay_transport = relay:[127.0.0.1]:2525'],
  },
  {
    id: 'postfix-unknown-code',
    good: bySocketmap,
    bad: [...bySocketmap, 'unknown_relay_recipient_reject_code = 450'],
  },
  { id: 'postfix-soft-bounce', bad: [...byPolicy, 'soft_bounce = yes'] },
  {
    id: 'postfix-unlisted-off',
    good: bySocketmap,
    bad: [...bySocketmap, 'smtpd_reject_unlisted_recipient = no'],
  },
  { id: 'postfix-relay-unchecked', bad: base },
  {
    id: 'postfix-local-unchecked',
    bad: [...byPolicy, 'mydestination = mail.example.org', 'local_recipient_maps ='],
  },
  { id: 'postfix-virtual-unchecked', bad: [...byPolicy, 'virtual_mailbox_domains = example.org'] },
  {
    id: 'postfix-wildcard',
    bad: [...bySocketmap, 'virtual_alias_maps = hash:/etc/postfix/virtual'],
    good: [...bySocketmap, 'virtual_alias_maps = hash:/etc/postfix/people'],
  },
  { id: 'postfix-wildcard', bad: [...base, 'relay_recipient_maps = pcre:/etc/postfix/pattern'] },
  { id: 'postfix-wildcard', bad: [...base, 'relay_recipient_maps = static:OK'] },
  { id: 'postfix-second-list', bad: [...byPolicy, 'relay_recipient_maps = hash:/etc/postfix/people'] },
  { id: 'postfix-luser-relay', bad: [...byPolicy, 'luser_relay = catchall@example.com'] },
  {
    id: 'postfix-mx-backup',
    bad: [...byPolicy, 'smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination'],
  },
  { id: 'postfix-open-network', bad: [...byPolicy, 'mynetworks = 127.0.0.0/8, 0.0.0.0/0'] },
  { id: 'postfix-subdomains', bad: byPolicy.filter((line) => line !== noSubdomains) },
  { id: 'postfix-subdomains', bad: [...byPolicy, 'relay_domains = example.com, .example.com'] },
  { id: 'postfix-domain-unserved', bad: [...byPolicy, 'relay_domains = example.com, example.org'] },
  { id: 'postfix-domain-missing', bad: [...byPolicy, 'relay_domains = other.test'] },
  { id: 'postfix-domain-twice', bad: [...byPolicy, 'mydestination = $relay_domains'] },
  {
    id: 'postfix-chroot',
    facts: onSocket,
    good: [...base, restrictions('check_policy_service unix:/run/rollcall/policy.sock')],
    bad: [...base, restrictions('check_policy_service unix:/run/rollcall/policy.sock')],
    services: [chrooted],
  },
  {
    id: 'postfix-proxy-foreign',
    good: byPolicy,
    bad: byProxy,
    facts: { ...facts, proxyForeign: 'reject' },
  },
  { id: 'postfix-speed-adjust', good: byProxy, bad: [...byProxy, 'smtpd_proxy_options = speed_adjust'] },
  { id: 'postfix-milter-protocol', good: byMilter, bad: [...byMilter, 'milter_protocol = 2'] },
  {
    id: 'postfix-milter-maps',
    good: byMilter,
    bad: [...byMilter, 'smtpd_milter_maps = cidr:/etc/postfix/milters'],
  },
];

describe('doctor --postfix', () => {
  it.each(cases.map((one) => [one.id, one.bad.at(-1) ?? '', one] as const))(
    'finds %s: %s',
    (id, _line, one) => {
      const wrong = analyse(one.bad, one.services, one.facts).find((finding) => finding.id === id);
      expect(wrong).toMatchObject({ ...postfixFaults[id], level: expect.any(String) as string });
      expect(wrong?.about).not.toBe('');
      expect(idsOf(analyse(one.good ?? byPolicy, one.goodServices, one.facts))).not.toContain(id);
    },
  );

  it('every fault has a case', () => {
    expect(new Set(cases.map(({ id }) => id))).toEqual(new Set(Object.keys(postfixFaults)));
  });

  it.each([
    ['policy', byPolicy],
    ['socketmap', bySocketmap],
    ['milter', byMilter],
    ['proxy', byProxy],
    ['smtp', byVerify],
  ] as const)('finds nothing wrong where Rollcall is asked well through %s', (door, lines) => {
    const findings = analyse(lines);
    expect(idsOf(findings)).toEqual([]);
    expect(findings).toMatchObject([
      { level: 'ok', what: expect.stringContaining(`asks Rollcall: ${door}`) as string },
    ]);
  });

  it('names the line, and the override in master.cf', () => {
    const about = (id: FaultId, services?: readonly string[]) =>
      analyse([...byPolicy, 'soft_bounce = yes'], services).find((finding) => finding.id === id)?.about;
    expect(about('postfix-soft-bounce')).toBe('main.cf:7 soft_bounce');
    expect(about('postfix-soft-bounce', [`${smtpd} -o soft_bounce=yes`])).toBe(
      'master.cf smtp/inet -o soft_bounce',
    );
  });

  it('sees through user-defined classes, variables and what postconf folds', () => {
    const folded = [
      ...base,
      'smtpd_restriction_classes = known',
      `known = ${policy}`,
      'mine = permit_mynetworks,\n    reject_unauth_destination',
      'smtpd_recipient_restrictions = $mine,\n    known',
    ];
    expect(idsOf(analyse(folded))).toEqual([]);
  });

  it('a service on another address, by a name that only DNS knows, may be Rollcall', () => {
    const everywhere: Facts = { ...facts, doors: { policy: [{ host: '0.0.0.0', port: 10040 }] } };
    const lines = [...base, restrictions('check_policy_service inet:rollcall.internal:10040')];
    expect(idsOf(analyse(lines, [smtpd], everywhere))).toEqual([]);
  });

  it('takes any text, and ends', () => {
    const words = fc.constantFrom(
      ...[
        'smtpd_recipient_restrictions',
        'relay_domains',
        '=',
        ' ',
        '\n',
        ',',
        '{',
        '}',
        '$',
        '${',
        '(',
        ')',
        ':',
        '-o',
        'smtp inet',
      ],
      ...[
        'a = $a$a',
        'check_policy_service',
        'inet:',
        'smtpd',
        'inline:{',
        '#',
        'warn_if_reject',
        'n',
        '-',
        'socketmap:',
        'y',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.array(words, { maxLength: 60 }).map((parts) => parts.join('')),
      fc.array(words, { maxLength: 60 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, (given) => void analyse([given])),
      { numRuns: 200 },
    );
  });

  it('a setting that holds itself ends', () => {
    expect(() =>
      analyse([
        'relay_domains = $relay_domains $relay_domains $mydestination',
        'mydestination = $relay_domains $relay_domains',
      ]),
    ).not.toThrow();
  });
});
