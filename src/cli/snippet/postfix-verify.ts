/**
 * Postfix asks by address verification: a probe to the smtp door.
 *
 * Promises that every line defers while Rollcall cannot be asked, whatever the rest of main.cf sets for mail.
 */
import { hostPort, reach, spellings, type Way } from './facts.js';
import { ownListOff, postfixNotes } from './postfix-service.js';

const transport = 'rollcall_verify';

export const verifyWay: Way = {
  door: 'smtp',
  example: '"smtp": { "listen": "127.0.0.1:2525" }',
  make(facts) {
    const address = reach(facts, 'smtp', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    const probes = facts.domains.flatMap((domain) =>
      spellings(domain).flatMap((name) => [
        `${name}=${transport}:${hostPort(bracketed(address))}`,
        ...(domain.includeSubdomains ? [`.${name}=${transport}:${hostPort(bracketed(address))}`] : []),
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
            '# Without it strangers read the address of Rollcall. The same text for 550 and 450: Postfix has no other.',
            'unverified_recipient_reject_reason = Mailbox unknown here, or it cannot be checked now',
            '# Probes speak for nobody: groups that take no outside mail are not in question.',
            'address_verify_sender = <>',
            'address_verify_poll_count = 5',
            'address_verify_poll_delay = 1s',
            '# By default a refusal is kept for three days, and somebody new stays refused so long.',
            'address_verify_negative_expire_time = 10m',
            'address_verify_negative_refresh_time = 1m',
            'address_verify_positive_expire_time = 1h',
            'address_verify_positive_refresh_time = 10m',
            ...ownListOff(facts),
          ],
        },
        {
          file: 'master.cf',
          lines: [
            '# For probes alone, whatever main.cf sets for mail: with smtp_fallback_relay they would go there while Rollcall is down,',
            '# and everybody would be accepted.',
            `${transport} unix - - n - - smtp`,
            '    -o smtp_fallback_relay=',
            '    -o smtp_tls_security_level=may',
            '    -o smtp_tls_wrappermode=no',
            '    -o smtp_tls_policy_maps=',
            '    -o smtp_sasl_auth_enable=no',
            '    -o smtp_generic_maps=',
            '    -o smtp_bind_address=',
            '    -o smtp_bind_address6=',
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
