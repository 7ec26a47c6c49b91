/**
 * Sendmail asks a milter, or a socketmap in check_rcpt. Lines for sendmail.mc; tabs matter in the rules.
 *
 * Promises that it defers while Rollcall cannot be asked: F=T of the milter, -T of the map.
 */
import type { ListenAddress } from '../../config/listen-address.js';
import { commonNotes, reach, type Facts, type Way } from './facts.js';

const milterWay: Way = {
  door: 'milter',
  example: '"milter": { "listen": "127.0.0.1:10041" }',
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
            `INPUT_MAIL_FILTER(\`rollcall', \`S=${milterSocket(address)}, F=T, T=C:10s;S:10s;R:10s;E:1m')dnl`,
          ],
        },
      ],
      notes: [...notes(facts), ...commonNotes(facts, 'milter')],
    };
  },
};

function milterSocket(address: ListenAddress): string {
  if ('path' in address) return `local:${address.path}`;
  const family = address.host.includes(':') ? 'inet6' : 'inet';
  return `${family}:${address.port}@${address.host}`;
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
            'R$*\t\t\t\t$: $>canonify $1',
            'R$+ < @ $+ . >\t\t\t$1 < @ $2 >',
            'R$+ < @ $={RollcallDomains} >\t$: < $(recipients $1@$2 $: NOTFOUND $) > $1 < @ $2 >',
            ...(facts.domains.some(({ includeSubdomains }) => includeSubdomains)
              ? [
                  'R$+ < @ $+ . $={RollcallDomains} >\t$: < $(recipients $1@$2.$3 $: NOTFOUND $) > $1 < @ $2 . $3 >',
                ]
              : []),
            'R< NOTFOUND > $*\t\t$#error $@ 5.1.1 $: "550 5.1.1 No such mailbox here"',
            'R< $* <TMPF> > $*\t\t$#error $@ 4.4.3 $: "451 4.4.3 Recipients cannot be checked now"',
          ],
        },
      ],
      notes: [
        'If Local_check_rcpt is there already, put these rules before yours. The columns are parted by tabs.',
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
