/**
 * ESMTP extensions: what a next hop offers, what of it a client may be offered, and which parameters come with it.
 *
 * Promises that a client is offered nothing that the next hop cannot do, and only what passes through a proxy that reads
 * commands one by one and hands the message on as it is. Never offered: CHUNKING and BINARYMIME (their message has no final
 * dot to find), AUTH (a front that asks strangers for passwords), REQUIRETLS (a promise about both sides at once), and what
 * we do not know.
 */
import type { Reply } from './reply.js';

/** Keyword in upper case → its parameters as text, empty for none. */
export type Features = ReadonlyMap<string, string>;

export const noFeatures: Features = new Map();

/** From the reply to EHLO: each line after the first is one (RFC 5321 §4.1.1.1). */
export function parseFeatures(reply: Reply): Features {
  const features = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [keyword = '', ...parameters] = line.slice(4).trim().split(/ +/);
    if (keyword !== '') features.set(keyword.toUpperCase(), parameters.join(' '));
  }
  return features;
}

/** Handed through, when the next hop has them. */
const passed = [
  '8BITMIME', // RFC 6152
  'SMTPUTF8', // RFC 6531
  'SIZE', // RFC 1870
  'ENHANCEDSTATUSCODES', // RFC 2034
  'DSN', // RFC 3461
  'DELIVERBY', // RFC 2852
  'MT-PRIORITY', // RFC 6710
  'RRVS', // RFC 7293
];

export function passedFeatures(ofNextHop: Features): Features {
  const offered = new Map<string, string>();
  for (const keyword of passed) {
    const parameters = ofNextHop.get(keyword);
    if (parameters !== undefined) offered.set(keyword, parameters);
  }
  return offered;
}

/** Whether a client that was promised room for a message would find less of it now (RFC 1870 §4: 0 or none is no limit). */
export function hasLessRoom(promised: Features, now: Features): boolean {
  const room = (features: Features): number => Number.parseInt(features.get('SIZE') ?? '', 10) || Infinity;
  return promised.has('SIZE') && room(now) < room(promised);
}

export function featureLines(features: Features): string[] {
  return [...features].map(([keyword, parameters]) =>
    parameters === '' ? keyword : `${keyword} ${parameters}`,
  );
}

/** Parameter → the extension it comes with. */
const parameterOf: Readonly<Record<'MAIL' | 'RCPT', ReadonlyMap<string, string>>> = {
  MAIL: new Map([
    ['SIZE', 'SIZE'],
    ['BODY', '8BITMIME'],
    ['SMTPUTF8', 'SMTPUTF8'],
    ['RET', 'DSN'],
    ['ENVID', 'DSN'],
    ['BY', 'DELIVERBY'],
    ['MT-PRIORITY', 'MT-PRIORITY'],
  ]),
  RCPT: new Map([
    ['NOTIFY', 'DSN'],
    ['ORCPT', 'DSN'],
    ['RRVS', 'RRVS'],
  ]),
};

/** The first parameter that does not come with what was offered (RFC 5321 §4.1.1.11: 555). */
export function foreignParameter(
  parameters: string,
  command: 'MAIL' | 'RCPT',
  offered: Features,
): string | undefined {
  if (parameters === '') return undefined;
  return parameters.split(/ +/).find((parameter) => {
    const [name = '', value = ''] = parameter.toUpperCase().split('=');
    const extension = parameterOf[command].get(name);
    // RFC 3030 §3: a binary message needs BDAT.
    return extension === undefined || !offered.has(extension) || value === 'BINARYMIME';
  });
}
