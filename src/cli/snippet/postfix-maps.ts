/**
 * Postfix looks recipients up in a table that is Rollcall: socketmap, tcp_table, or a file that is exported.
 *
 * Unlike restrictions, a recipient map holds for every client: permit_mynetworks does not pass it by.
 */
import {
  delimitersOf,
  exportedFacts,
  hostPort,
  reach,
  some,
  type ExportFacts,
  type Facts,
  type Way,
} from './facts.js';
import { postfixNotes, postfixService } from './postfix-service.js';

export const socketmapWay: Way = {
  door: 'socketmap',
  example: '"socketmap": { "listen": "127.0.0.1:10044" }',
  make(facts) {
    const address = reach(facts, 'socketmap');
    if (address === undefined) return undefined;
    const service = postfixService(address);
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            '# Rollcall, socketmap door: holds for every client, mynetworks too. 451 while it cannot be asked.',
            `relay_recipient_maps = socketmap:${service}:recipients`,
            ...codes,
            '# The domains from Rollcall as well, instead of a list here; subdomains only where Rollcall serves them:',
            `#relay_domains = socketmap:${service}:domains`,
            '#parent_domain_matches_subdomains = debug_peer_list, fast_flush_domains, mynetworks, qmqpd_authorized_clients, smtpd_access_maps',
          ],
        },
      ],
      notes: [...mapNotes, ...observedNotes(facts), ...postfixNotes(facts, 'socketmap', address)],
    };
  },
};

export const tcpWay: Way = {
  door: 'tcp',
  example: '"tcp": { "listen": "127.0.0.1:10045" }',
  make(facts) {
    const address = reach(facts, 'tcp', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            '# Rollcall, tcp door (tcp_table(5)): holds for every client, mynetworks too.',
            `relay_recipient_maps = tcp:${hostPort(address)}`,
            ...codes,
          ],
        },
      ],
      notes: [
        'While Rollcall is down each recipient takes Postfix ten seconds to defer; with socketmap none.',
        ...mapNotes,
        ...observedNotes(facts),
        ...postfixNotes(facts, 'tcp'),
      ],
    };
  },
};

export const exportWay: Way = {
  door: 'export',
  example: '',
  make(facts) {
    const found = facts.exports?.find(({ format }) => format === 'texthash' || format === 'sqlite');
    if (found === undefined) return undefined;
    const table = tableOf(found);
    const exported = exportedFacts(facts, found);
    const delimiters = delimitersOf(exported).join('');
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            `# Rollcall, the file of the export ${found.name}. It knows nothing newer than its last export.`,
            `relay_recipient_maps = ${table}`,
            '# The same file says whom to defer because they left the list lately.',
            'smtpd_recipient_restrictions =',
            '    permit_mynetworks,',
            '    permit_sasl_authenticated,',
            '    reject_unauth_destination,',
            `    check_recipient_access ${table}`,
            ...(delimiters === ''
              ? []
              : ['# Postfix takes subaddresses apart itself.', `recipient_delimiter = ${delimiters}`]),
            ...codes,
          ],
        },
      ],
      notes: [
        'A file keeps refusing whom it does not name, however old it grows: watch its age. A door defers instead.',
        ...(found.hook === undefined
          ? [
              `Give the export a hook, so that Postfix sees the new file: ["postfix", "reload"], after postmap if need be.`,
            ]
          : []),
        ...differing(exported),
        ...postfixNotes(exported, 'export'),
      ],
    };
  },
};

/** recipient_delimiter holds for all domains. */
function differing({ domains }: Facts): string[] {
  const sets = new Set(domains.map(({ subaddress }) => [...subaddress].sort().join(' ')));
  if (sets.size < 2) return [];
  const all = delimitersOf({ doors: {}, domains }).join(' ');
  return [
    `Postfix cuts subaddresses off at every one of ${all} in all of these domains, whatever Rollcall has: somebody whose own name ` +
      'holds one is refused with a subaddress. `rollcall export` names them; the socketmap door has no such limit.',
  ];
}

/** What the hook builds with postmap, if it does; else the file itself. */
function tableOf({ format, path, hook }: ExportFacts): string {
  if (format === 'sqlite') return `sqlite:${path}.cf`;
  const built = /(?:^|[\s,])((?:lmdb|cdb|hash|btree):[^\s;,]+)/.exec((hook ?? []).join(' '));
  return built?.[1] ?? `texthash:${path}`;
}

const codes: readonly string[] = [
  '# These are the defaults; 450 would only defer who does not exist.',
  'smtpd_reject_unlisted_recipient = yes',
  'unknown_relay_recipient_reject_code = 550',
];

/** Two maps are one or the other: there is no way to keep a list of one's own beside this and have both hold. */
function observedNotes({ domains }: Facts): string[] {
  const observed = domains.filter(({ mode }) => mode !== 'enforce').map(({ name }) => name);
  if (observed.length === 0) return [];
  return [
    `If relay_recipient_maps names a list of your own now, this line switches it off, and everybody is accepted in ${some(observed)}: ` +
      'keep your list until those are "enforce", and observe through the policy door.',
  ];
}

const mapNotes: readonly string[] = [
  'For mydestination the same value belongs in local_recipient_maps; for virtual_mailbox_domains in virtual_mailbox_maps, but only ' +
    'where virtual_transport is another than virtual (lmtp, dovecot): virtual(8) opens no table over the network.',
  'A catch-all `@domain` in virtual_alias_maps comes before this and makes everybody known.',
];
