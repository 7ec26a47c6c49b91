/**
 * Postfix asks while it serves: the policy service and the milter.
 *
 * Promises that every line defers while Rollcall cannot be asked, whatever defaults the rest of main.cf has changed.
 */
import { patience, reach, type Facts, type Way } from './facts.js';
import { aliasNote, ownListOff, postfixNotes, postfixService } from './postfix-service.js';

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
            `    check_policy_service { ${postfixService(address)}, timeout=${patience(facts)},`,
            '        { default_action = 451 4.3.5 Recipients cannot be checked now } }',
            ...ownListOff(facts),
            ...subdomainsOff(facts),
          ],
        },
      ],
      notes: [aliasNote, ...postfixNotes(facts, 'policy', address)],
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
            `    { ${postfixService(address)}, default_action=tempfail, protocol=6, connect_timeout=10s, command_timeout=${patience(facts)} }`,
            ...ownListOff(facts),
            ...subdomainsOff(facts),
          ],
        },
      ],
      notes: [
        'Milters see mail that comes by SMTP from everybody, mynetworks and logged-in users too.',
        'Not for non_smtpd_milters: mail of local programs would stay in the queue.',
        aliasNote,
        ...postfixNotes(facts, 'milter', address),
      ],
    };
  },
};

/** Postfix relays for subdomains by default; Rollcall has no opinion about those that it does not serve. */
function subdomainsOff({ domains }: Facts): string[] {
  if (domains.every(({ includeSubdomains }) => includeSubdomains)) return [];
  return [
    '# relay_domains matches subdomains too, and nobody checks their recipients. Unless you mean it, switch that off:',
    '#parent_domain_matches_subdomains = debug_peer_list, fast_flush_domains, mynetworks, qmqpd_authorized_clients, smtpd_access_maps',
  ];
}
