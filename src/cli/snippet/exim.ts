/**
 * Exim asks in its RCPT ACL: `${readsocket}` to the readsocket door, a callout to the smtp door, or a file by lsearch.
 *
 * Promises that anything but a plain 2xx or 5xx from Rollcall defers, and that what a stranger writes as an address stays one
 * value: Exim does not expand what comes out of a variable again, and the local part is quoted (RFC 5321 §4.1.2).
 */
import {
  commonNotes,
  exportedFacts,
  hostPort,
  patience,
  reach,
  spellings,
  type Facts,
  type SnippetFile,
  type Way,
} from './facts.js';
import type { ListenAddress } from '../../config/listen-address.js';

const readsocketWay: Way = {
  door: 'readsocket',
  example: '"readsocket": { "listen": "127.0.0.1:10046" }',
  make(facts) {
    const address = reach(facts, 'readsocket');
    if (address === undefined) return undefined;
    return {
      files: [mainSection(facts), { file: 'exim.conf: acl', lines: readsocketAcl(facts, address) }],
      notes: [...notes, ...commonNotes(facts, 'readsocket')],
    };
  },
};

function readsocketAcl(facts: Facts, address: ListenAddress): string[] {
  const name = 'path' in address ? address.path : `inet:${hostPort(address)}`;
  const byCase = facts.domains.some(({ caseSensitive }) => caseSensitive === true);
  const request = '${quote_local_part:$local_part}@$domain\\t$sender_address\\t$sender_host_address\\n';
  return [
    '# Rollcall, readsocket door: recipient, sender and client go there, the SMTP reply comes back. The last argument is',
    '# the answer while Rollcall cannot be asked: without it Exim would say "temporary local problem".',
    '  warn',
    '    domains = +rollcall_domains',
    // Exim puts local parts into lower case for its ACLs
    ...(byCase ? ['    control = caseful_local_part'] : []),
    `    set acl_m_rollcall = \${readsocket{${name}}{${request}}{${patience(facts)}}{}{451 4.4.3 Recipients cannot be checked now}}`,
    ...(byCase ? ['    control = caselower_local_part'] : []),
    '  deny',
    '    domains = +rollcall_domains',
    '    condition = ${if match{$acl_m_rollcall}{\\N^5[0-9][0-9] \\N}}',
    '    message = $acl_m_rollcall',
    '# Only 2xx goes on.',
    '  defer',
    '    domains = +rollcall_domains',
    '    !condition = ${if match{$acl_m_rollcall}{\\N^2[0-9][0-9]( |$)\\N}}',
    '    message = ${if match{$acl_m_rollcall}{\\N^4[0-9][0-9] \\N}{$acl_m_rollcall}{451 4.4.3 Recipients cannot be checked now}}',
  ];
}

const calloutWay: Way = {
  door: 'smtp',
  example: '"smtp": { "listen": "127.0.0.1:2525" }',
  make(facts) {
    const address = reach(facts, 'smtp', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    return {
      files: [
        mainSection(facts),
        {
          file: 'exim.conf: acl',
          lines: [
            '# Rollcall, smtp door, by callout. Never with defer_ok, which accepts while it cannot be asked; no_cache, or Exim keeps',
            '# refusing somebody new for two hours.',
            '  deny',
            '    domains = +rollcall_domains',
            `    !verify = recipient/callout=${patience(facts)},no_cache`,
            '# The words of Rollcall alone, without what stands before them.',
            '    message = ${sg{$acl_verify_message}{\\N(?s)^.*\\n\\N}{}}',
          ],
        },
        {
          file: 'exim.conf: routers',
          lines: [
            '# First of the routers: for verifying only. Mail goes where it went before.',
            'rollcall_verify:',
            '  driver = manualroute',
            '  domains = +rollcall_domains',
            '  verify_only',
            '  no_verify_sender',
            '  transport = rollcall_verify',
            `  route_list = * ${address.host.includes(':') ? `"<+ [${address.host}]"` : address.host} byname`,
            '  self = send',
            '  host_find_failed = defer',
            '  no_more',
          ],
        },
        {
          file: 'exim.conf: transports',
          lines: ['rollcall_verify:', '  driver = smtp', `  port = ${address.port}`, '  allow_localhost'],
        },
      ],
      notes: [...notes, ...commonNotes(facts, 'smtp')],
    };
  },
};

const exportWay: Way = {
  door: 'export',
  example: '',
  make(facts) {
    const found = facts.exports?.find(({ format }) => format === 'lsearch');
    if (found === undefined) return undefined;
    const exported = exportedFacts(facts, found);
    return {
      files: [
        mainSection(exported),
        {
          file: 'exim.conf: acl',
          lines: [
            `# Rollcall, the file of the export ${found.name}. It knows nothing newer than its last export.`,
            ...byDelimiters(exported).flatMap(({ domains, delimiters }) => [
              '  warn',
              `    domains = ${domains}`,
              `    set acl_m_rollcall = ${lookup(found.path, delimiters)}`,
            ]),
            '  deny',
            '    domains = +rollcall_domains',
            '    condition = ${if eq{$acl_m_rollcall}{unknown}}',
            '    message = 550 5.1.1 No such mailbox here',
            '# They left the list lately.',
            '  defer',
            '    domains = +rollcall_domains',
            '    !condition = ${if eq{$acl_m_rollcall}{known}}',
            '    message = 450 4.2.1 Mailbox not available at the moment',
          ],
        },
      ],
      notes: [
        'A file keeps refusing whom it does not name, however old it grows: watch its age. A door defers instead.',
        ...notes,
        ...commonNotes(exported, 'export'),
      ],
    };
  },
};

/** Each domain's subaddresses are cut at its own delimiters: another's would cut names that hold them. */
function byDelimiters({ domains }: Facts): { domains: string; delimiters: readonly string[] }[] {
  const groups = new Map<string, { names: string[]; delimiters: readonly string[] }>();
  for (const domain of domains) {
    const key = [...domain.subaddress].sort().join('');
    const group = groups.get(key) ?? { names: [], delimiters: domain.subaddress };
    group.names.push(...spellings(domain));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ names, delimiters }) => ({
    domains: groups.size === 1 ? '+rollcall_domains' : names.join(' : '),
    delimiters,
  }));
}

/** The address as it is, then without its subaddress. */
function lookup(path: string, delimiters: readonly string[]): string {
  const find = (key: string, otherwise: string): string =>
    `\${lookup{${key}}lsearch{${path}}{$value}{${otherwise}}}`;
  const full = '${lc:$local_part@$domain}';
  if (delimiters.length === 0) return find(full, 'unknown');
  const set = delimiters
    .map((delimiter) => (/[\^\-\]\\]/.test(delimiter) ? `\\${delimiter}` : delimiter))
    .join('');
  const base = `\${lc:\${sg{$local_part}{\\N^([^${set}]+)[${set}].*$\\N}{\\$1}}@$domain}`;
  return find(full, find(base, 'unknown'));
}

export const eximWays: readonly Way[] = [readsocketWay, calloutWay, exportWay];

/** A list of its own: which domains Rollcall is asked about does not depend on how other lists are called. */
function mainSection(facts: Facts): SnippetFile {
  const names = facts.domains.flatMap((domain) =>
    spellings(domain).flatMap((name) => (domain.includeSubdomains ? [name, `*.${name}`] : [name])),
  );
  return {
    file: 'exim.conf: main',
    lines: [
      '# The domains about which Rollcall is asked.',
      `domainlist rollcall_domains = ${names.join(' : ')}`,
    ],
  };
}

const notes: readonly string[] = [
  'The ACL lines belong into the ACL that acl_smtp_rcpt names: after the statement that refuses to relay, before any `accept` for your domains.',
];
