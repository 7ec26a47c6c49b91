/** What the checks of a Postfix are given: what was read, and what Rollcall has. */
import type { Facts } from '../../snippet/facts.js';
import type { Postconf, Service } from './postconf-parse.js';
import { valuesOf, type Values } from './postfix-values.js';
import type { ReadText } from './tables.js';

export interface PostfixInput {
  readonly postconf: Postconf;
  /** `main.cf:12` for a setting of main.cf, when the file could be read. */
  readonly lineOf: (name: string) => string | undefined;
  readonly read: ReadText;
  readonly facts: Facts;
}

/** One service that takes mail from strangers, or main.cf alone when master.cf was not given. */
export interface Front extends PostfixInput {
  readonly values: Values;
  readonly service: Service | undefined;
}

/** The services on which strangers' mail comes in. */
export function frontsOf(input: PostfixInput): Front[] {
  const smtpd = input.postconf.services.filter(
    ({ type, command, name }) =>
      (type === 'inet' || type === 'pass') && command === 'smtpd' && !isSubmission(name),
  );
  const open = smtpd.filter(({ name }) => !isLoopbackService(name));
  const chosen = open.length > 0 ? open : smtpd;
  const services = chosen.length > 0 ? chosen : [undefined];
  return services.map((service) => ({
    ...input,
    service,
    values: valuesOf(input.postconf, service, input.lineOf),
  }));
}

export function mainOnly(input: PostfixInput): Front {
  return { ...input, service: undefined, values: valuesOf(input.postconf, undefined, input.lineOf) };
}

function isSubmission(name: string): boolean {
  return /(^|:)(submission|submissions|smtps|587|465)$/.test(name);
}

/** Behind a content filter, or behind the proxy: what comes there was checked before. */
function isLoopbackService(name: string): boolean {
  return /^(127\.|localhost:|\[::1\]:)/.test(name);
}

export function nameOf(service: Service | undefined): string {
  return service === undefined ? 'main.cf' : `master.cf ${service.name}/${service.type}`;
}
