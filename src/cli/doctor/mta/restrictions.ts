/**
 * A restriction list of smtpd (smtpd_recipient_restrictions and the like) as its steps, user-defined classes put in place.
 */
import { words } from './postconf-parse.js';
import type { Values } from './postfix-values.js';

export interface Step {
  readonly name: string;
  /** The table, server or domain that belongs to it; of `{ inet:…, timeout=10s }` the whole. */
  readonly argument: string;
  readonly warnOnly: boolean;
}

/** In the order in which they run at RCPT, the best place for a policy service first. */
export const rcptLists = [
  'smtpd_recipient_restrictions',
  'smtpd_relay_restrictions',
  'smtpd_sender_restrictions',
  'smtpd_helo_restrictions',
  'smtpd_client_restrictions',
] as const;
export const lateLists = [
  'smtpd_data_restrictions',
  'smtpd_end_of_data_restrictions',
  'smtpd_etrn_restrictions',
] as const;

const takesArgument =
  /^(check_\w+|reject_rbl_client|reject_rhsbl_\w+|permit_dnswl_client|permit_rhswl_client|sleep|reject_unlisted_\w+_maps)$/;

export function stepsOf(values: Values, list: string): Step[] {
  return steps(values.list(list), values, new Set(values.list('smtpd_restriction_classes')), 0);
}

const mostSteps = 10_000;

function steps(
  names: readonly string[],
  values: Values,
  classes: ReadonlySet<string>,
  depth: number,
): Step[] {
  const found: Step[] = [];
  let warnOnly = false;
  for (let i = 0; i < names.length && found.length < mostSteps; i += 1) {
    const name = (names[i] ?? '').toLowerCase();
    if (name === 'warn_if_reject') {
      warnOnly = true;
      continue;
    }
    if (classes.has(names[i] ?? '') && depth < 5) {
      found.push(...steps(values.list(names[i] ?? ''), values, classes, depth + 1).slice(0, mostSteps));
    } else if (takesArgument.test(name)) {
      i += 1;
      found.push({ name, argument: names[i] ?? '', warnOnly });
    } else if (isTable(names[i] ?? '')) {
      // `hash:/etc/postfix/access` alone is check_…_access of the list's own kind (access(5))
      found.push({ name: 'check_access', argument: names[i] ?? '', warnOnly });
    } else found.push({ name, argument: '', warnOnly });
    warnOnly = false;
  }
  return found;
}

function isTable(word: string): boolean {
  return /^[a-z]+:[^\s]/i.test(word);
}

/** `{ inet:127.0.0.1:10040, timeout=10s, { default_action = 451 … } }` as its server and its settings. */
export function withSettings(argument: string): { target: string; settings: ReadonlyMap<string, string> } {
  const [target = '', ...rest] = words(argument, true);
  const settings = new Map<string, string>();
  for (const word of rest) {
    const at = word.indexOf('=');
    if (at > 0) settings.set(word.slice(0, at).trim(), word.slice(at + 1).trim());
  }
  return { target, settings };
}
