/** What can be wrong in a Postfix. Names begin with the mail server. */
import type { Fault } from './fault.js';

const snippet = '`rollcall snippet postfix` prints the lines.';
const accepts = 'Mail for nobody is accepted, and has to be bounced to senders who are mostly forged.';

export const postfixFaults = {
  'postfix-not-asked': {
    level: 'error',
    why: `Rollcall is never asked. ${accepts}`,
    mend: snippet,
  },
  'postfix-wrong-address': {
    level: 'error',
    why: 'Nobody answers there, so everybody is deferred; or something else does.',
    mend: `Use the address of Rollcall, or change \`listen\` of the door. ${snippet}`,
  },
  'postfix-overridden': {
    level: 'error',
    why: `Mail that comes in by this service passes Rollcall by. ${accepts}`,
    mend: 'Take the override out of master.cf, or write the whole list there, with Rollcall in it.',
  },
  'postfix-policy-bypassed': {
    level: 'error',
    why: 'What permits ends the list: Rollcall after it is not asked.',
    mend: 'Put check_policy_service (or reject_unverified_recipient) before it, right after reject_unauth_destination.',
  },
  'postfix-access-map': {
    level: 'warn',
    why: 'An OK out of it ends the list: Rollcall after it is not asked.',
    mend: 'Put Rollcall before it, or answer DUNNO in the map instead of OK.',
  },
  'postfix-before-unauth': {
    level: 'warn',
    why: 'Rollcall is asked about domains that are not yours, and the order shows strangers who exists before relaying is refused.',
    mend: 'Put reject_unauth_destination before it.',
  },
  'postfix-early-list': {
    level: 'error',
    why: 'With smtpd_delay_reject = no these lists run before RCPT: there is no recipient yet, and nobody is refused.',
    mend: 'Move it to smtpd_recipient_restrictions.',
  },
  'postfix-late-list': {
    level: 'error',
    why: 'Rollcall judges at RCPT only; here it has no opinion, and everybody is accepted.',
    mend: 'Move it to smtpd_recipient_restrictions.',
  },
  'postfix-relay-list-only': {
    level: 'warn',
    why: 'It works, but this list is for relaying, and services in master.cf often replace it.',
    mend: 'Move it to smtpd_recipient_restrictions, after reject_unauth_destination.',
  },
  'postfix-warn-only': {
    level: 'warn',
    why: 'warn_if_reject only logs what Rollcall says; everybody is accepted.',
    mend: 'Take warn_if_reject out when the log looks right.',
  },
  'postfix-fail-open': {
    level: 'error',
    why: `While Rollcall cannot be asked everybody is let in. ${accepts}`,
    mend: 'Defer: `default_action = 451 4.3.5 …` for the policy service, `default_action=tempfail` for the milter, `unverified_recipient_tempfail_action = defer_if_permit`.',
  },
  'postfix-fail-hard': {
    level: 'error',
    why: 'While Rollcall cannot be asked, people who exist are refused for good.',
    mend: 'Defer instead: a 4xx, or tempfail.',
  },
  'postfix-verify-code': {
    level: 'error',
    why: 'The default is 450: who does not exist is only deferred, and senders come again for days.',
    mend: 'unverified_recipient_reject_code = 550',
  },
  'postfix-verify-reason': {
    level: 'warn',
    why: 'Strangers read the name and address of the server that was asked.',
    mend: 'unverified_recipient_reject_reason = Mailbox unknown here, or it cannot be checked now; it is the text of 450 too',
  },
  'postfix-verify-cache': {
    level: 'warn',
    why: 'Postfix keeps a refusal by itself: somebody new stays refused until it expires, three days by default.',
    mend: 'address_verify_negative_expire_time = 10m, address_verify_negative_refresh_time = 1m',
  },
  'postfix-verify-fallback': {
    level: 'error',
    why: `While Rollcall is down the probe goes there instead, and everybody is let in. ${accepts}`,
    mend: 'Send probes by a transport of their own, with `-o smtp_fallback_relay=` in master.cf. `rollcall snippet postfix --door smtp` prints it.',
  },
  'postfix-mail-to-rollcall': {
    level: 'error',
    why: 'Mail itself is sent to the smtp door, which takes no message: every mail is refused after RCPT.',
    mend: 'Send only probes there: address_verify_transport_maps.',
  },
  'postfix-unknown-code': {
    level: 'error',
    why: 'A 4xx only defers who does not exist; senders come again for days.',
    mend: 'Set it to 550, or take the line out.',
  },
  'postfix-soft-bounce': {
    level: 'error',
    why: 'Every refusal becomes "try again later"; senders come again for days, and unknown recipients fill their queues.',
    mend: 'soft_bounce = no',
  },
  'postfix-unlisted-off': {
    level: 'error',
    why: `Recipient maps are not looked at in SMTP. ${accepts}`,
    mend: 'smtpd_reject_unlisted_recipient = yes',
  },
  'postfix-relay-unchecked': {
    level: 'error',
    why: `Every recipient of these domains is accepted. ${accepts}`,
    mend: snippet,
  },
  'postfix-local-unchecked': {
    level: 'error',
    why: `An empty local_recipient_maps accepts every local recipient. ${accepts}`,
    mend: 'Take the line out (the default knows users and aliases), or empty mydestination.',
  },
  'postfix-virtual-unchecked': {
    level: 'error',
    why: `Without virtual_mailbox_maps every recipient of these domains is accepted. ${accepts}`,
    mend: 'Set virtual_mailbox_maps, or ask Rollcall about these domains.',
  },
  'postfix-wildcard': {
    level: 'error',
    why: `It makes every recipient of the domain known. ${accepts}`,
    mend: 'Name the addresses; for a domain of Rollcall take the entry out.',
  },
  'postfix-second-list': {
    level: 'warn',
    why: 'Two lists of the same people drift apart: who is only in one is refused, or let in past Rollcall.',
    mend: 'Keep Rollcall alone: empty it, or leave only the map of Rollcall.',
  },
  'postfix-alias-unlisted': {
    level: 'warn',
    why: 'Rollcall is asked about the name as it was written: one that only Postfix knows is refused.',
    mend: 'Put these names into a list of Rollcall, or ask through the socketmap door, which comes after virtual_alias_maps.',
  },
  'postfix-virtual-table': {
    level: 'error',
    why: 'virtual(8) opens no table over the network: mail that was accepted stays in the queue, and comes back after days.',
    mend: 'Deliver by another virtual_transport (lmtp, dovecot), or keep a map of mailboxes there and ask Rollcall through the policy door.',
  },
  'postfix-luser-relay': {
    level: 'error',
    why: 'Mail for unknown local users is taken and passed on.',
    mend: 'Take luser_relay out.',
  },
  'postfix-mx-backup': {
    level: 'error',
    why: `It accepts mail for every domain whose MX names this machine, without knowing the recipients. ${accepts}`,
    mend: 'Take permit_mx_backup out; name the domains in relay_domains and have their recipients checked.',
  },
  'postfix-open-network': {
    level: 'error',
    why: 'Every client counts as your own: Rollcall is passed by, and this is an open relay.',
    mend: 'Name your own networks only.',
  },
  'postfix-subdomains': {
    level: 'warn',
    why: 'Postfix accepts mail for any subdomain as well; Rollcall does not serve those, so nobody checks their recipients.',
    mend: 'Take relay_domains out of parent_domain_matches_subdomains, or set "includeSubdomains": true for the domain.',
  },
  'postfix-domain-unserved': {
    level: 'warn',
    why: 'Postfix accepts mail for it, and Rollcall has no opinion: nobody checks its recipients.',
    mend: 'Add it under `domains`, or take it out of Postfix.',
  },
  'postfix-domain-missing': {
    level: 'warn',
    why: 'Rollcall serves it, but this Postfix takes no mail for it (554 Relay access denied).',
    mend: 'Add it to relay_domains; nothing to do if another mail server has it.',
  },
  'postfix-domain-twice': {
    level: 'error',
    why: 'Postfix takes one of the classes and warns; the recipient check may be that of the other.',
    mend: 'List it in one of mydestination, virtual_alias_domains, virtual_mailbox_domains and relay_domains.',
  },
  'postfix-chroot': {
    level: 'error',
    why: 'smtpd runs in a chroot and cannot reach the socket: everybody is deferred.',
    mend: 'Listen in /var/spool/postfix/rollcall/ and write unix:rollcall/…, use inet, or set the chroot column in master.cf to n.',
  },
  'postfix-speed-adjust': {
    level: 'error',
    why: 'With speed_adjust Postfix takes the whole message before it talks to the proxy: nobody is refused at RCPT.',
    mend: 'Take speed_adjust out of smtpd_proxy_options.',
  },
  'postfix-proxy-foreign': {
    level: 'warn',
    why: 'The proxy refuses other domains with 550 5.7.1: what your own clients and logged-in users send out through this service is lost.',
    mend: 'Set "foreignDomains": "pass" under edges.proxy (and let nobody else reach that door), or put the filter on a service for incoming mail only.',
  },
  'postfix-milter-protocol': {
    level: 'warn',
    why: 'An old milter protocol knows less than Rollcall uses.',
    mend: 'milter_protocol = 6',
  },
  'postfix-milter-maps': {
    level: 'warn',
    why: 'Clients that it names get other milters, or none: they may pass Rollcall by.',
    mend: 'Look whether Rollcall is in each of its values.',
  },
} as const satisfies Readonly<Record<`postfix-${string}`, Fault>>;
