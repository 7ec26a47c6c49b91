/**
 * The settings that one service of Postfix runs with: main.cf, over it `-o` of master.cf, under it the defaults.
 *
 * Expands `$name`, `${name}` and `$(name)`; conditional expressions stay as they are. Bounded: a setting that grows by itself
 * ends where the bound is.
 */
import { words, type Postconf, type Service } from './postconf-parse.js';

export interface Values {
  /** Expanded; the default when it is not set; empty when neither is known. */
  get(name: string): string;
  isSet(name: string): boolean;
  list(name: string): string[];
  isYes(name: string): boolean;
  /** Where it is set: `main.cf:12 soft_bounce`, `master.cf smtp/inet -o soft_bounce`. */
  where(name: string): string;
}

/** What is looked at here, as in Postfix 3.4 to 3.11. */
const defaults: Readonly<Record<string, string>> = {
  queue_directory: '/var/spool/postfix',
  mydestination: '$myhostname, localhost.$mydomain, localhost',
  local_recipient_maps: 'proxy:unix:passwd.byname $alias_maps',
  virtual_mailbox_maps: '',
  smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
  smtpd_delay_reject: 'yes',
  smtpd_reject_unlisted_recipient: 'yes',
  smtpd_policy_service_default_action: '451 4.3.5 Server configuration problem',
  parent_domain_matches_subdomains:
    'debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps',
  unverified_recipient_reject_code: '450',
  unverified_recipient_defer_code: '450',
  unverified_recipient_tempfail_action: '$reject_tempfail_action',
  reject_tempfail_action: 'defer_if_permit',
  address_verify_negative_expire_time: '3d',
  address_verify_transport_maps: '$transport_maps',
  address_verify_relay_transport: '$relay_transport',
  relay_transport: 'relay',
  virtual_transport: 'virtual',
  smtp_fallback_relay: '$fallback_relay',
  milter_default_action: 'tempfail',
  milter_protocol: '6',
  soft_bounce: 'no',
};

const mostLength = 200_000;

/** `lineOf`: where in which file a setting of main.cf stands, when that is known. */
export function valuesOf(
  { main }: Postconf,
  service: Service | undefined,
  lineOf: (name: string) => string | undefined,
): Values {
  const raw = (name: string): string | undefined =>
    service?.overrides.get(name) ?? main.get(name)?.value ?? defaults[name];
  const get = (name: string): string => expand(raw(name) ?? '', raw);
  return {
    get,
    isSet: (name) => (service?.overrides.has(name) ?? false) || main.has(name),
    list: (name) => words(get(name), true),
    isYes: (name) => /^(yes|true|1)$/i.test(get(name).trim()),
    where: (name) =>
      service?.overrides.has(name) === true
        ? `master.cf ${service.name}/${service.type} -o ${name}`
        : `${main.has(name) ? (lineOf(name) ?? 'main.cf') : 'default of'} ${name}`,
  };
}

function expand(text: string, raw: (name: string) => string | undefined): string {
  let value = text;
  for (let depth = 0; depth < 10 && value.includes('$'); depth += 1) {
    let room = mostLength - value.length;
    const next = value.replace(/\$(?:(\w+)|\{(\w+)\}|\((\w+)\))/g, (all: string, ...groups: unknown[]) => {
      const name = groups.slice(0, 3).find((group): group is string => typeof group === 'string') ?? '';
      const inner = raw(name) ?? '';
      room -= inner.length;
      return room < 0 ? all : inner;
    });
    if (next === value) break;
    value = next;
  }
  return value;
}
