/**
 * Sendmail asks a milter, or a socketmap in check_rcpt. Lines for sendmail.mc; tabs matter in the rules.
 *
 * Promises that it defers while Rollcall cannot be asked: F=T of the milter, -T of the map; and that nothing is relayed unasked
 * below a domain or by way of Sendmail's own name.
 */
import type { ListenAddress } from '../../config/listen-address.js';
import { commonNotes, patience, reach, some, type Facts, type Way } from './facts.js';

const milterWay: Way = {
  door: 'milter',
  example: '"milter": { "listen": "unix:/run/rollcall/milter.sock" }',
  make(facts) {
    const address = reach(facts, 'milter');
    if (address === undefined) return undefined;
    return {
      files: [
        {
          file: 'sendmail.mc',
          lines: [
            'dnl Rollcall, milter door, before other milters: they need not look at mail for nobody.',
            'dnl F=T: try again later while Rollcall cannot be asked. Without it everybody would be accepted.',
            `INPUT_MAIL_FILTER(\`rollcall', \`S=${milterSocket(address)}, F=T, T=C:10s;S:10s;R:${patience(facts)};E:1m')dnl`,
            ...hostsOnly(facts),
          ],
        },
      ],
      notes: [...milterNotes(facts, address), ...notes(facts), ...commonNotes(facts, 'milter')],
    };
  },
};

function milterSocket(address: ListenAddress): string {
  if ('path' in address) return `local:${address.path}`;
  const family = address.host.includes(':') ? 'inet6' : 'inet';
  return `${family}:${address.port}@${address.host}`;
}

/** A milter has no opinion on a subdomain that nobody serves, and RELAY_DOMAIN would take its mail. */
function hostsOnly({ domains }: Facts): string[] {
  if (domains.length === 0 || domains.some(({ includeSubdomains }) => includeSubdomains)) return [];
  return [
    'dnl RELAY_DOMAIN takes in every subdomain, and nobody checks recipients there. With this it names hosts only; clients and',
    'dnl domains that you let in by a RELAY_DOMAIN above them must then be named themselves.',
    "FEATURE(`relay_hosts_only')dnl",
  ];
}

function milterNotes({ domains }: Facts, address: ListenAddress): string[] {
  const alone = domains.filter(({ includeSubdomains }) => !includeSubdomains).map(({ name }) => name);
  return [
    ...('path' in address
      ? address.path.startsWith('/tmp/')
        ? ['Sendmail refuses sockets below /tmp, where everybody may write: listen in /run/rollcall/.']
        : []
      : [
          'Over TCP Sendmail takes some 45 ms for each command, whatever the milter does: on one machine let the door listen ' +
            'on a unix socket, "unix:/run/rollcall/milter.sock" (not below /tmp: Sendmail refuses that).',
        ]),
    ...(alone.length > 0 && alone.length < domains.length
      ? [
          `RELAY_DOMAIN takes in subdomains of ${some(alone)} as well, and nobody checks recipients there: ` +
            'set "includeSubdomains" for all domains or for none, or take the socketmap door, which defers them.',
        ]
      : []),
  ];
}

const socketmapWay: Way = {
  door: 'socketmap',
  example: '"socketmap": { "listen": "127.0.0.1:10044" }',
  make(facts) {
    const address = reach(facts, 'socketmap');
    if (address === undefined) return undefined;
    return {
      files: [
        {
          file: 'sendmail.mc',
          lines: [
            'dnl Rollcall, socketmap door; at the end of the file. The map is called as in Rollcall: Sendmail sends its name.',
            'LOCAL_CONFIG',
            // -f -q: case and quotes as the client wrote them
            `Krecipients socket -f -q -T<TMPF> ${milterSocket(address)}`,
            ...facts.domains.map(({ name }) => `C{RollcallDomains}${name}`),
            'LOCAL_RULESETS',
            'SLocal_check_rcpt',
            // CanonAddr takes off this machine's own name: user%example.com@here is asked about as user@example.com
            'R$*\t\t\t\t\t$: <?> $>CanonAddr $1',
            'R<?> $+ < @ $+ . >\t\t\t<?> $1 < @ $2 >',
            // <?>: not asked yet, so that no rule after the one that asked takes its answer for a part of the address
            'R<?> $+ < @ $={RollcallDomains} >\t$: < $(recipients $1@$2 $: NOTFOUND $) > $1 < @ $2 >',
            // subdomains always: RELAY_DOMAIN takes them in, and Rollcall says "later" of those that it does not serve
            'R<?> $+ < @ $+ . $={RollcallDomains} >\t$: < $(recipients $1@$2.$3 $: NOTFOUND $) > $1 < @ $2 . $3 >',
            'R< NOTFOUND > $*\t\t$#error $@ 5.1.1 $: "550 5.1.1 No such mailbox here"',
            'R< $* <TMPF> > $*\t\t$#error $@ 4.4.3 $: "451 4.4.3 Recipients cannot be checked now"',
          ],
        },
      ],
      notes: [
        'If Local_check_rcpt is there already, put these rules before yours. The columns are parted by tabs.',
        "Mail to a subdomain that Rollcall does not serve is deferred; FEATURE(`relay_hosts_only') refuses to relay for it instead.",
        ...notes(facts),
        ...commonNotes(facts, 'socketmap'),
      ],
    };
  },
};

const exportWay: Way = {
  door: 'export',
  example: '',
  make(facts) {
    const found = facts.exports?.find(({ format }) => format === 'sendmail-access');
    if (found === undefined) return undefined;
    return {
      files: [
        {
          file: 'sendmail.mc',
          lines: [
            `dnl Rollcall, the file of the export ${found.name}, built into /etc/mail/access by its hook.`,
            "FEATURE(`access_db', `hash -T<TMPF> /etc/mail/access')dnl",
            "FEATURE(`blacklist_recipients')dnl",
          ],
        },
      ],
      notes: [
        `The hook of the export: ["sh", "-c", "makemap hash /etc/mail/access < ${found.path}"].`,
        'A file keeps refusing whom it does not name, however old it grows: watch its age. A door defers instead.',
        ...notes(facts),
        ...commonNotes(facts, 'export'),
      ],
    };
  },
};

export const sendmailWays: readonly Way[] = [milterWay, socketmapWay, exportWay];

function notes({ domains }: Facts): string[] {
  return [
    `Sendmail must relay for the domains: ${domains.map(({ name }) => `RELAY_DOMAIN(\`${name}')`).join(' ')}.`,
    'Then build sendmail.cf and restart Sendmail.',
  ];
}
