/** The order of restrictions: whether the question to Rollcall is reached, and counts. */
import { listensAt, parseEndpoint } from './endpoint.js';
import { fault, type MtaFinding } from './catalogue.js';
import type { Ask } from './postfix-asks.js';
import type { Front } from './postfix-input.js';
import { rcptLists, stepsOf, withSettings, type Step } from './restrictions.js';
import { entriesOf, parseTable } from './tables.js';

/** Of the lists in which Rollcall stands the best one counts. */
export function checkOrder(front: Front, asks: readonly Ask[]): MtaFinding[] {
  const { values } = front;
  const isOurs = ourStep(front, asks);
  const lists = rcptLists.filter((list) => stepsOf(values, list).some(isOurs));
  const late = asks.find(({ ours, door }) => ours && door === 'policy');
  if (lists.length === 0) {
    if (late === undefined || asks.some(({ ours, door }) => ours && door !== 'policy')) return [];
    return [fault('postfix-late-list', values.where(late.setting), `${late.text} stands there alone`)];
  }
  const found = lists.map((list) => checkList(front, list, isOurs));
  const weight = (findings: readonly MtaFinding[]): number =>
    findings.filter(({ level }) => level === 'error').length * 100 + findings.length;
  return found.reduce((best, next) => (weight(next) < weight(best) ? next : best));
}

function ourStep({ facts }: Front, asks: readonly Ask[]): (step: Step) => boolean {
  const policies = asks.filter(({ ours, door }) => ours && door === 'policy').map(({ text }) => text);
  const verified = asks.some(({ ours, door }) => ours && door === 'smtp');
  return ({ name, argument }) => {
    if (name === 'reject_unverified_recipient') return verified;
    if (name !== 'check_policy_service') return false;
    const { target } = withSettings(argument);
    if (policies.includes(target)) return true;
    const endpoint = parseEndpoint(target);
    return endpoint !== undefined && listensAt(facts.doors['policy'] ?? [], endpoint);
  };
}

function checkList(front: Front, list: string, isOurs: (step: Step) => boolean): MtaFinding[] {
  const { values } = front;
  const all = stepsOf(values, list);
  const at = all.findIndex(isOurs);
  const step = all[at];
  const before = all.slice(0, at);
  const about = values.where(list);
  const findings = before.flatMap((earlier) => checkEarlier(front, about, earlier));
  if (step?.warnOnly === true)
    findings.push(fault('postfix-warn-only', about, `warn_if_reject ${step.name}`));
  const early = /client|helo|sender/.test(list);
  if (early && !values.isYes('smtpd_delay_reject'))
    findings.push(
      fault('postfix-early-list', about, 'Rollcall is asked there, with smtpd_delay_reject = no'),
    );
  if (list === 'smtpd_relay_restrictions')
    findings.push(fault('postfix-relay-list-only', about, 'Rollcall is asked only there'));
  // relaying is refused in its own list first, unless that has been emptied
  const refused = [...before, ...(early ? [] : stepsOf(values, 'smtpd_relay_restrictions'))];
  const isRelayList = list === 'smtpd_relay_restrictions';
  const guarded = (isRelayList ? before : refused).some(({ name }) =>
    /^(reject|defer)_unauth_destination$|^(reject|defer)$/.test(name),
  );
  if (!early && !guarded)
    findings.push(fault('postfix-before-unauth', about, 'nothing before it refuses to relay'));
  return findings;
}

const trusted =
  /^permit_(mynetworks|sasl_authenticated|tls_(all_)?clientcerts|inet_interfaces|auth_mynetworks)$/;
const lets = /^permit($|_auth_destination$|_mx_backup$|_naked_ip_address$|_dnswl_client$|_rhswl_client$)/;

/** `permit_mynetworks` and logins are as they should be: one's own users would get their bounces from oneself. */
function checkEarlier(front: Front, about: string, { name, argument, warnOnly }: Step): MtaFinding[] {
  if (warnOnly || trusted.test(name)) return [];
  const text = argument === '' ? name : `${name} ${argument}`;
  if (lets.test(name)) return [fault('postfix-policy-bypassed', about, `${text} stands before Rollcall`)];
  if (!/^check_\w*access$/.test(name)) return [];
  const table = parseTable(argument);
  const entries = table === undefined ? undefined : entriesOf(table, front.read);
  if (entries === undefined)
    return [fault('postfix-access-map', about, `${text} stands before Rollcall, and may say OK`)];
  const permits = entries.filter(({ value }) => /^(ok|relay|permit\w*|\d+)\b(?!\s*\S)/i.test(value));
  return permits
    .slice(0, 3)
    .map(({ key, value, where }) =>
      fault('postfix-access-map', `${about} (${where})`, `${key} ${value} stands before Rollcall`),
    );
}
