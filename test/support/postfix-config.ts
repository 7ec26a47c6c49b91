/**
 * What a private Postfix is configured with: main.cf and master.cf, with the limits out of the way that would slow down or
 * cut a session of many unknown recipients, which is what the tests are made of.
 */
import type { PostfixOptions } from './postfix.js';

export function mainCf(options: PostfixOptions & { readonly folder: string }): string {
  const { folder, domains, check } = options;
  return `${[
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/queue`,
    `data_directory = ${folder}/data`,
    'mail_owner = postfix',
    'setgid_group = postdrop',
    `maillog_file = ${folder}/maillog`,
    `maillog_file_prefixes = ${folder}`,
    'myhostname = edge.test.invalid',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    // clients are strangers, although they come from this machine
    'mynetworks = 127.0.0.9/32',
    'mydestination =',
    'alias_maps =',
    'alias_database =',
    'local_recipient_maps =',
    'local_transport = error:5.1.1 no local mail',
    `relay_domains = ${domains.join(', ')}`,
    // the list is Rollcall's; Postfix has none
    'relay_recipient_maps =',
    'disable_dns_lookups = yes',
    'smtp_host_lookup = native',
    'smtpd_peername_lookup = no',
    'smtpd_relay_restrictions = reject_unauth_destination',
    'smtpd_error_sleep_time = 0',
    'smtpd_soft_error_limit = 1000000',
    'smtpd_hard_error_limit = 1000000',
    'smtpd_junk_command_limit = 1000000',
    'smtpd_recipient_limit = 100000',
    'smtpd_recipient_overshoot_limit = 1000000',
    'smtpd_client_connection_count_limit = 0',
    'smtpd_client_event_limit_exceptions = 127.0.0.0/8',
    'in_flow_delay = 0',
    'smtputf8_enable = yes',
    ...checkLines(check),
    ...(options.mainCf ?? []),
  ].join('\n')}\n`;
}

function checkLines(check: PostfixOptions['check']): readonly string[] {
  if ('policy' in check) return policy(check.policy);
  if ('verify' in check) return verify(check.verify.port);
  // no mail is ever sent on
  return ['relay_transport = discard:', ...check.lines];
}

function policy(service: string): string[] {
  return [
    `smtpd_recipient_restrictions = check_policy_service ${service}`,
    // no mail is ever sent on
    'relay_transport = discard:',
  ];
}

/** ADDRESS_VERIFICATION_README. The codes are 450 by default: an MTA that only defers what is unknown earns retries. */
function verify(port: number): string[] {
  return [
    'smtpd_recipient_restrictions = reject_unverified_recipient',
    `relay_transport = relay:[127.0.0.1]:${port}`,
    'unverified_recipient_reject_code = 550',
    'unverified_recipient_defer_code = 450',
    // show the code and text of the next hop, and not what Postfix would say about it
    'unverified_recipient_reject_reason =',
    // the null sender: a probe speaks for nobody, so that groups that take no outside mail are not in question
    'address_verify_sender = <>',
    'address_verify_map = btree:$data_directory/verify_cache',
    'address_verify_poll_count = 10',
    'address_verify_poll_delay = 1s',
    // short, so that a list that changes is asked about again
    'address_verify_negative_refresh_time = 1s',
    'address_verify_negative_expire_time = 3s',
    'address_verify_positive_refresh_time = 1s',
    'address_verify_positive_expire_time = 3s',
  ];
}

/** The services that receiving, probing and logging need; nothing is chrooted. */
export function masterCf(port: number, smtpd: readonly string[] = ['smtp inet n - n - 50 smtpd']): string {
  return `${[
    ...smtpd.map((line) => line.replace(/^smtp(?= +inet)/, `127.0.0.1:${port}`)),
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'proxywrite unix - - n - 1 proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ].join('\n')}\n`;
}
