/** Postfix hands its sessions through the proxy before the queue (SMTPD_PROXY_README), and takes them back behind it. */
import { isLoopback } from '../../config/listen-address.js';
import { hostPort, reach, type Way } from './facts.js';
import { aliasNote, postfixNotes } from './postfix-service.js';

export const proxyWay: Way = {
  door: 'proxy',
  example:
    '"proxy": { "listen": "127.0.0.1:10042", "nextHops": ["127.0.0.1:10043"], "foreignDomains": "pass" }',
  make(facts) {
    const address = reach(facts, 'proxy', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    const next = facts.nextHops?.[0] ?? '127.0.0.1:10043';
    const host = hostOf(next);
    const here = isLoopback(host) || (facts.ownAddresses ?? []).includes(host);
    return {
      files: [
        {
          file: 'master.cf',
          lines: [
            '# Rollcall, proxy door, before the queue (SMTPD_PROXY_README). The first entry is in place of your own `smtp inet`.',
            '# Not smtpd_proxy_options=speed_adjust: Rollcall would be asked only after the message was taken.',
            '# Mail that your own users send out comes this way too: edges.proxy.foreignDomains must be "pass".',
            'smtp inet n - n - 100 smtpd',
            `    -o smtpd_proxy_filter=${hostPort(address)}`,
            '    -o smtpd_client_connection_count_limit=10',
            ...(here ? behind(next, host) : []),
          ],
        },
      ],
      notes: [
        ...(facts.nextHops?.[0] === next ? [] : [`edges.proxy.nextHops must name ${next}.`]),
        ...(facts.proxyForeign === 'pass'
          ? [
              `With "foreignDomains": "pass" nobody but this Postfix may reach ${hostPort(address)}: strangers could relay through it.`,
            ]
          : [
              'Set edges.proxy.foreignDomains to "pass": this Postfix has checked relaying already, and as it is the proxy refuses ' +
                'with 550 5.7.1 what your own clients and logged-in users send to other domains through this service.',
            ]),
        ...(here
          ? ['Set edges.proxy.clientInfo to "xforward", so that the second service knows who called.']
          : [
              `The next hop ${next} is another machine: let it take mail from Rollcall's address only, as what comes there was ` +
                'checked and strangers must not pass Rollcall by.',
            ]),
        'The policy door costs less; the proxy also passes on what the next hop says of each recipient and of the message.',
        aliasNote,
        ...postfixNotes(facts, 'proxy'),
      ],
    };
  },
};

/** `host:port` without the port, and without brackets. */
function hostOf(next: string): string {
  return next.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** The second smtpd: takes mail from the proxy alone. */
function behind(next: string, host: string): string[] {
  const own = isLoopback(host) ? [] : [host.includes(':') ? `[${host}]` : host];
  const trusted = ['127.0.0.0/8', '[::1]/128', ...own].join(',');
  return [
    '# Where the proxy hands on what is known: its next hop. Only from this machine; what was checked once is not again.',
    `${next} inet n - n - 100 smtpd`,
    '    -o smtpd_proxy_filter=',
    `    -o mynetworks=${trusted}`,
    `    -o smtpd_authorized_xclient_hosts=${trusted}`,
    `    -o smtpd_authorized_xforward_hosts=${trusted}`,
    // another machine can reach it there
    `    -o smtpd_client_restrictions=${own.length > 0 ? 'permit_mynetworks,reject' : ''}`,
    '    -o smtpd_helo_restrictions=',
    '    -o smtpd_sender_restrictions=',
    '    -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination',
    '    -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination',
    '    -o smtpd_data_restrictions=',
    '    -o smtpd_milters=',
    '    -o smtpd_client_connection_count_limit=0',
    '    -o smtpd_client_connection_rate_limit=0',
    '    -o smtpd_error_sleep_time=0',
    '    -o smtpd_soft_error_limit=1001',
    '    -o smtpd_hard_error_limit=1000',
  ];
}
