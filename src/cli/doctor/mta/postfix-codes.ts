/** Codes and failure actions: what is refused for good, what is deferred, and what happens while Rollcall is down. */
import { fault, type MtaFinding } from './catalogue.js';
import { nextHopOf, transports, verifies, type Ask } from './postfix-asks.js';
import { listensAt, parseEndpoint } from './endpoint.js';
import type { Front } from './postfix-input.js';
import { valuesOf } from './postfix-values.js';
import { rcptLists, stepsOf, withSettings } from './restrictions.js';

export function checkCodes(front: Front, asks: readonly Ask[]): MtaFinding[] {
  return [
    ...checkRefusals(front, asks),
    ...(verifies(front) ? checkVerify(front, asks) : []),
    ...checkPolicyDefault(front, asks),
    ...checkMilter(front, asks),
    ...checkProxy(front, asks),
    ...checkFallback(front),
    ...checkMailTarget(front),
  ];
}

function checkRefusals({ values }: Front, asks: readonly Ask[]): MtaFinding[] {
  const set = (name: string): string => `${name} = ${values.get(name)}`;
  const findings = ['relay_recipient', 'local_recipient', 'virtual_mailbox', 'virtual_alias', 'recipient']
    .map((list) => `unknown_${list}_reject_code`)
    .filter((name) => values.isSet(name) && !/^5\d\d$/.test(values.get(name).trim()))
    .map((name) => fault('postfix-unknown-code', values.where(name), set(name)));
  if (values.isYes('soft_bounce'))
    findings.push(fault('postfix-soft-bounce', values.where('soft_bounce'), set('soft_bounce')));
  const byMap = asks.some(({ ours, door }) => ours && ['socketmap', 'tcp', 'export'].includes(door));
  const asked = rcptLists.some((list) =>
    stepsOf(values, list).some(({ name }) => name === 'reject_unlisted_recipient'),
  );
  if (!values.isYes('smtpd_reject_unlisted_recipient') && !asked) {
    const name = 'smtpd_reject_unlisted_recipient';
    const elsewhere = asks.some(({ ours }) => ours) && !byMap;
    findings.push(fault('postfix-unlisted-off', values.where(name), set(name), elsewhere ? 'warn' : 'error'));
  }
  return findings;
}

function checkVerify({ values }: Front, asks: readonly Ask[]): MtaFinding[] {
  const findings: MtaFinding[] = [];
  const at = (name: string): [about: string, what: string] => [
    values.where(name),
    `${name} = ${values.get(name)}`,
  ];
  const reject = 'unverified_recipient_reject_code';
  if (!/^5\d\d$/.test(values.get(reject).trim())) findings.push(fault('postfix-verify-code', ...at(reject)));
  const defer = 'unverified_recipient_defer_code';
  if (!/^4\d\d$/.test(values.get(defer).trim()))
    findings.push(
      fault(values.get(defer).startsWith('5') ? 'postfix-fail-hard' : 'postfix-fail-open', ...at(defer)),
    );
  const tempfail = 'unverified_recipient_tempfail_action';
  if (/^permit/i.test(values.get(tempfail).trim()))
    findings.push(fault('postfix-fail-open', ...at(tempfail)));
  if (!asks.some(({ ours, door }) => ours && door === 'smtp')) return findings;
  const reason = 'unverified_recipient_reject_reason';
  if (values.get(reason).trim() === '') findings.push(fault('postfix-verify-reason', ...at(reason)));
  const expire = 'address_verify_negative_expire_time';
  if (seconds(values.get(expire)) > 7200) findings.push(fault('postfix-verify-cache', ...at(expire)));
  return findings;
}

/** Postfix's time units (postconf(5)); a bare number is in days here. */
function seconds(text: string): number {
  const [, digits = '0', unit = 'd'] = /^(\d+)\s*([smhdw]?)$/.exec(text.trim()) ?? [];
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return Number(digits) * (units[unit === '' ? 'd' : unit] ?? 1);
}

function checkPolicyDefault({ values }: Front, asks: readonly Ask[]): MtaFinding[] {
  const general = 'smtpd_policy_service_default_action';
  return rcptLists.flatMap((list) =>
    stepsOf(values, list).flatMap(({ name, argument }) => {
      if (name !== 'check_policy_service') return [];
      const { target, settings } = withSettings(argument);
      if (!asks.some(({ ours, door, text }) => ours && door === 'policy' && text === target)) return [];
      const own = settings.get('default_action');
      const action = own ?? values.get(general);
      const about = values.where(own === undefined ? general : list);
      const what = `${own === undefined ? general : 'default_action'} = ${action}`;
      if (/^(4\d\d\b|defer)/i.test(action.trim())) return [];
      return [
        fault(
          /^(5\d\d\b|reject)/i.test(action.trim()) ? 'postfix-fail-hard' : 'postfix-fail-open',
          about,
          what,
        ),
      ];
    }),
  );
}

function checkMilter({ values }: Front, asks: readonly Ask[]): MtaFinding[] {
  const ours = new Set(asks.filter((one) => one.ours && one.door === 'milter').map(({ text }) => text));
  const findings: MtaFinding[] = [];
  for (const { target, settings } of values.list('smtpd_milters').map(withSettings)) {
    if (!ours.has(target)) continue;
    const setting = (own: string, general: string): [value: string, about: string, what: string] => {
      const value = settings.get(own) ?? values.get(general);
      const isOwn = settings.has(own);
      return [
        value.trim(),
        values.where(isOwn ? 'smtpd_milters' : general),
        `${isOwn ? own : general} = ${value}`,
      ];
    };
    const [action, ...place] = setting('default_action', 'milter_default_action');
    if (/^reject/i.test(action)) findings.push(fault('postfix-fail-hard', ...place));
    else if (!/^(tempfail|shutdown)$/i.test(action)) findings.push(fault('postfix-fail-open', ...place));
    const [protocol, ...where] = setting('protocol', 'milter_protocol');
    if (Number(protocol) < 6) findings.push(fault('postfix-milter-protocol', ...where));
  }
  if (ours.size > 0 && values.get('smtpd_milter_maps').trim() !== '') {
    const what = `smtpd_milter_maps = ${values.get('smtpd_milter_maps')}`;
    findings.push(fault('postfix-milter-maps', values.where('smtpd_milter_maps'), what));
  }
  return findings;
}

function checkProxy({ values, facts }: Front, asks: readonly Ask[]): MtaFinding[] {
  if (!asks.some(({ ours, door }) => ours && door === 'proxy')) return [];
  const name = 'smtpd_proxy_options';
  const filter = 'smtpd_proxy_filter';
  return [
    ...(values.list(name).includes('speed_adjust')
      ? [fault('postfix-speed-adjust', values.where(name), `${name} = ${values.get(name)}`)]
      : []),
    ...(facts.proxyForeign === 'pass'
      ? []
      : [fault('postfix-proxy-foreign', values.where(filter), 'edges.proxy.foreignDomains is "reject"')]),
  ];
}

/** The service of master.cf that carries the probes, with what it runs with. */
function checkFallback(front: Front): MtaFinding[] {
  const { postconf, lineOf, facts } = front;
  if (!verifies(front)) return [];
  const targets = ['address_verify_transport_maps', 'address_verify_relay_transport']
    .flatMap((name) => transports(front, name))
    .filter((text) => {
      const endpoint = parseEndpoint(nextHopOf(text));
      return endpoint !== undefined && listensAt(facts.doors['smtp'] ?? [], endpoint);
    });
  return [...new Set(targets.map((text) => text.slice(0, text.indexOf(':'))))].flatMap((transport) => {
    const service = postconf.services.find(({ name, type }) => name === transport && type === 'unix');
    const values = valuesOf(postconf, service, lineOf);
    const name = 'smtp_fallback_relay';
    const relay = values.get(name).trim();
    if (relay === '') return [];
    const what = `probes go by ${transport}, with ${name} = ${relay}`;
    return [fault('postfix-verify-fallback', values.where(name), what)];
  });
}

/** The smtp door takes no message: only probes belong there. */
function checkMailTarget(front: Front): MtaFinding[] {
  const doors = front.facts.doors['smtp'] ?? [];
  return ['relay_transport', 'default_transport', 'transport_maps', 'relayhost'].flatMap((name) =>
    targetsOf(front, name)
      .filter((target) => {
        const endpoint = parseEndpoint(target);
        return endpoint !== undefined && listensAt(doors, endpoint);
      })
      .slice(0, 3)
      .map((target) => fault('postfix-mail-to-rollcall', front.values.where(name), `mail goes to ${target}`)),
  );
}

function targetsOf(front: Front, name: string): string[] {
  if (name === 'relayhost') return [nextHopOf(`smtp:${front.values.get(name).trim()}`)];
  return transports(front, name).map(nextHopOf);
}
