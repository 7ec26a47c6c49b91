/**
 * Postfix asks while it serves: the policy service, the milter, address verification, and the proxy before the queue.
 *
 * Promises that every line defers while Rollcall cannot be asked, whatever defaults the rest of main.cf has changed.
 */
import { hostPort, reach, spellings, type Facts, type Way } from './facts.js';
import { postfixNotes, postfixService } from './postfix-service.js';

export const policyWay: Way = {
  door: 'policy',
  example: '"policy": { "listen": "127.0.0.1:10040" }',
  make(facts) {
    const address = reach(facts, 'policy');
    if (address === undefined) return undefined;
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            '# Rollcall, policy door. Keep your own entries: this one belongs after reject_unauth_destination, before anything',
            '# that permits and before slow checks. Clients that the permit_ lines let in are not asked about.',
            'smtpd_recipient_restrictions =',
            '    permit_mynetworks,',
            '    permit_sasl_authenticated,',
            '    reject_unauth_destination,',
            // its own default_action: a DUNNO for another policy service would let everybody in here
            `    check_policy_service { ${postfixService(address)}, timeout=10s,`,
            '        { default_action = 451 4.3.5 Recipients cannot be checked now } }',
            ...ownListOff,
            ...subdomainsOff(facts),
          ],
        },
      ],
      notes: postfixNotes(facts, 'policy', address),
    };
  },
};

export const milterWay: Way = {
  door: 'milter',
  example: '"milter": { "listen": "127.0.0.1:10041" }',
  make(facts) {
    const address = reach(facts, 'milter');
    if (address === undefined) return undefined;
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            '# Rollcall, milter door, first of the list: others need not look at mail for nobody. Settings of its own, so that',
            '# milter_default_action = accept for another one does not let everybody in while Rollcall is down.',
            'smtpd_milters =',
            `    { ${postfixService(address)}, default_action=tempfail, protocol=6, connect_timeout=10s, command_timeout=10s }`,
            ...ownListOff,
            ...subdomainsOff(facts),
          ],
        },
      ],
      notes: [
        'Milters see mail that comes by SMTP from everybody, mynetworks and logged-in users too.',
        'Not for non_smtpd_milters: mail of local programs would stay in the queue.',
        ...postfixNotes(facts, 'milter', address),
      ],
    };
  },
};

export const verifyWay: Way = {
  door: 'smtp',
  example: '"smtp": { "listen": "127.0.0.1:2525" }',
  make(facts) {
    const address = reach(facts, 'smtp', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    const probes = facts.domains.flatMap((domain) =>
      spellings(domain).flatMap((name) => [
        `${name}=smtp:${hostPort(bracketed(address))}`,
        ...(domain.includeSubdomains ? [`.${name}=smtp:${hostPort(bracketed(address))}`] : []),
      ]),
    );
    return {
      files: [
        {
          file: 'main.cf',
          lines: [
            '# Rollcall, smtp door: Postfix verifies recipients by a probe, and keeps the answers in a cache of its own.',
            'smtpd_recipient_restrictions =',
            '    permit_mynetworks,',
            '    permit_sasl_authenticated,',
            '    reject_unauth_destination,',
            '    reject_unverified_recipient',
            '# Only probes go to Rollcall, which takes no message; mail goes where it went before.',
            'address_verify_transport_maps = inline:{',
            ...probes.map((probe) => `    ${probe}`),
            '    }',
            '# Both are 450 by default: who does not exist would only be deferred.',
            'unverified_recipient_reject_code = 550',
            'unverified_recipient_defer_code = 450',
            'unverified_recipient_tempfail_action = defer_if_permit',
            '# Without it strangers read the address of Rollcall.',
            'unverified_recipient_reject_reason = No such mailbox here',
            '# Probes speak for nobody: groups that take no outside mail are not in question.',
            'address_verify_sender = <>',
            'address_verify_poll_count = 5',
            'address_verify_poll_delay = 1s',
            '# By default a refusal is kept for three days, and somebody new stays refused so long.',
            'address_verify_negative_expire_time = 10m',
            'address_verify_negative_refresh_time = 1m',
            'address_verify_positive_expire_time = 1h',
            'address_verify_positive_refresh_time = 10m',
            ...ownListOff,
          ],
        },
      ],
      notes: [
        'The first answer for an address takes a second; the policy door answers at once and keeps no second cache.',
        ...postfixNotes(facts, 'smtp'),
      ],
    };
  },
};

/** Postfix looks a host name without brackets up in DNS. */
function bracketed({ host, port }: { readonly host: string; readonly port: number }) {
  return { host: host.includes(':') ? host : `[${host}]`, port };
}

export const proxyWay: Way = {
  door: 'proxy',
  example: '"proxy": { "listen": "127.0.0.1:10042", "nextHops": ["127.0.0.1:10043"] }',
  make(facts) {
    const address = reach(facts, 'proxy', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    const next = facts.nextHops?.[0] ?? '127.0.0.1:10043';
    return {
      files: [
        {
          file: 'master.cf',
          lines: [
            '# Rollcall, proxy door, before the queue (SMTPD_PROXY_README). The first entry is in place of your own `smtp inet`.',
            '# Not smtpd_proxy_options=speed_adjust: Rollcall would be asked only after the message was taken.',
            'smtp inet n - n - 100 smtpd',
            `    -o smtpd_proxy_filter=${hostPort(address)}`,
            '    -o smtpd_client_connection_count_limit=10',
            '# Where the proxy hands on what is known: its next hop. Only from this machine; what was checked once is not again.',
            `${next} inet n - n - 100 smtpd`,
            '    -o smtpd_proxy_filter=',
            '    -o smtpd_authorized_xclient_hosts=127.0.0.0/8,[::1]/128',
            '    -o smtpd_authorized_xforward_hosts=127.0.0.0/8,[::1]/128',
            '    -o smtpd_client_restrictions=',
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
          ],
        },
      ],
      notes: [
        ...(facts.nextHops?.[0] === next ? [] : [`edges.proxy.nextHops must name ${next}.`]),
        'Set edges.proxy.clientInfo to "xforward", so that the second service knows who called.',
        'The policy door costs less; the proxy also passes on what the next hop says of each recipient and of the message.',
        ...postfixNotes(facts, 'proxy'),
      ],
    };
  },
};

const ownListOff: readonly string[] = [
  "# The list is Rollcall's: another one here would have to be kept true as well.",
  'relay_recipient_maps =',
];

/** Postfix relays for subdomains by default; Rollcall has no opinion about those that it does not serve. */
function subdomainsOff({ domains }: Facts): string[] {
  if (domains.every(({ includeSubdomains }) => includeSubdomains)) return [];
  return [
    '# relay_domains matches subdomains too, and nobody checks their recipients. Unless you mean it, switch that off:',
    '#parent_domain_matches_subdomains = debug_peer_list, fast_flush_domains, mynetworks, qmqpd_authorized_clients, smtpd_access_maps',
  ];
}
