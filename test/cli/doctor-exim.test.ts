/** Doctor on the configuration of an Exim: the RCPT ACL, statement by statement. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { eximFaults } from '../../src/cli/doctor/mta/catalogue-exim.js';
import type { FaultId, MtaFinding } from '../../src/cli/doctor/mta/catalogue.js';
import { analyseExim } from '../../src/cli/doctor/mta/exim.js';
import type { Facts } from '../../src/cli/snippet/facts.js';
import { makeSnippet } from '../../src/cli/snippet/snippets.js';

const facts: Facts = {
  doors: { readsocket: [{ host: '127.0.0.1', port: 10046 }], smtp: [{ host: '127.0.0.1', port: 2525 }] },
  domains: [{ name: 'example.com', mode: 'enforce', includeSubdomains: false, subaddress: ['+'] }],
  exports: [{ name: 'edge', format: 'lsearch', path: '/var/lib/rollcall/people' }],
};

const files: Record<string, string> = {
  '/etc/exim4/people': 'bob@example.com: known\n*@example.com: known\n',
};

function conf(acl: readonly string[], main: readonly string[] = []): string {
  return [
    'primary_hostname = mx.example.com',
    'domainlist relay_to_domains = example.com',
    ...main,
    'acl_smtp_rcpt = acl_check_rcpt',
    'begin acl',
    'acl_check_rcpt:',
    '  accept hosts = :',
    '  deny message = relay not permitted',
    '    !domains = +relay_to_domains',
    '  accept local_parts = postmaster',
    '         domains = +relay_to_domains',
    ...acl,
    '  accept',
    'begin routers',
  ].join('\n');
}

function analyse(text: string, given = facts): MtaFinding[] {
  return analyseExim({ text, file: 'exim.conf', read: (path) => files[path], facts: given });
}

const idsOf = (findings: readonly MtaFinding[]): FaultId[] =>
  findings.flatMap(({ id }) => (id === undefined ? [] : [id]));

const snippetLines = (door: string, file: string): readonly string[] =>
  makeSnippet('exim', facts, door).files.find((one) => one.file === `exim.conf: ${file}`)?.lines ?? [];
const asked = (failure: string): string[] => [
  '  warn',
  `    set acl_m_r = \${readsocket{inet:127.0.0.1:10046}{$local_part@$domain\\n}{10s}{}${failure}}`,
  '  defer',
  '    !condition = ${if match{$acl_m_r}{\\N^2\\N}}',
];
const good = asked('{451 4.4.3 Later}');

const cases: readonly (readonly [id: keyof typeof eximFaults, bad: string])[] = [
  ['exim-no-rcpt-acl', 'primary_hostname = x\nbegin acl\n'],
  ['exim-not-asked', conf([])],
  ['exim-wrong-address', conf(good.map((line) => line.replace('10046', '10146')))],
  ['exim-accept-before', conf(['  accept domains = +relay_to_domains', ...good])],
  ['exim-accept-before', conf(['  accept', '    senders = *@friend.test', ...good])],
  ['exim-verify-without-callout', conf(['  require verify = recipient'])],
  ['exim-defer-ok', conf(['  deny !verify = recipient/callout=10s,defer_ok,no_cache'])],
  ['exim-callout-cache', conf(['  deny', '    !verify = recipient/callout=10s'])],
  ['exim-fail-open', conf(asked('{250 ok}'))],
  ['exim-fail-hard', conf(asked('{550 5.1.1 Unknown}'))],
  ['exim-no-failure-text', conf(asked(''))],
  ['exim-wildcard', conf([...good, '  deny !recipients = lsearch*@;/etc/exim4/people'])],
  [
    'exim-sqlite',
    conf([...good, "  deny !condition = ${lookup sqlite,file=/x.db {SELECT 1 FROM r WHERE a='x'}{yes}{no}}"]),
  ],
  ['exim-domain-unserved', conf(good, ['domainlist relay_to_domains = example.com : example.org'])],
];

describe('doctor --exim', () => {
  it.each(cases)('finds %s', (id, bad) => {
    const found = analyse(bad);
    expect(idsOf(found)).toContain(id);
    expect(found.find((finding) => finding.id === id)).toMatchObject(eximFaults[id]);
    expect(idsOf(analyse(conf(good)))).toEqual([]);
  });

  it('every fault has a case', () => {
    expect(new Set(cases.map(([id]) => id))).toEqual(new Set(Object.keys(eximFaults)));
  });

  it.each(['readsocket', 'smtp', 'export'])('has nothing against the snippet for the door %s', (door) => {
    const findings = analyse(conf(snippetLines(door, 'acl'), snippetLines(door, 'main')));
    expect(idsOf(findings)).toEqual([]);
    expect(findings).toMatchObject([{ level: 'ok' }]);
  });

  it('names the line, macros and continuation lines seen through', () => {
    const text = conf(
      ['  warn set acl_m_r = \\', '    ${readsocket{ROLLCALL}{$local_part@$domain\\n}{10s}{}{250 ok}}'],
      ['ROLLCALL = inet:127.0.0.1:10046'],
    );
    expect(analyse(text).find(({ id }) => id === 'exim-fail-open')).toMatchObject({ about: 'exim.conf:12' });
  });

  it('takes any text, and ends', () => {
    const words = fc.constantFrom(
      ...[
        'begin acl',
        'acl_smtp_rcpt = a',
        'a:',
        '\n',
        'accept',
        'deny',
        ' = ',
        '${readsocket{',
        '}',
        '{',
        '\\',
        'A = A A',
        '\\\n',
      ],
      ...[
        'domains',
        'verify = recipient',
        '/callout',
        'lsearch*;/x',
        '${lookup sqlite',
        'acl = a',
        ':',
        '#',
        '.include x',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.array(words, { maxLength: 80 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (given) => void analyse(given)),
      { numRuns: 200 },
    );
  });
});
