/**
 * What there is to tell of a directory server before a single entry is read: what it is, whom it takes us for, how the
 * connection is encrypted, and how far the clocks are apart.
 */
import { drawback, type ProbeFact, type ProbeFinding, well, wrong } from '../probe.js';
import { parseLdapUrl } from './dial.js';
import { parseGeneralizedTime } from './generalized-time.js';
import type { Scan } from './scan.js';
import type { ServerFacts } from './server-facts.js';

export interface Told {
  readonly facts: readonly ProbeFact[];
  readonly findings: readonly ProbeFinding[];
}

const day = 86_400_000;
const soonMs = 30 * day;
const clockMs = 5 * 60_000;

export function tellServer(scan: Scan, identity: string | undefined): Told {
  const { facts, options, session } = scan;
  const anonymous = (options.bindDn ?? '') === '';
  const who = identity === undefined || identity === '' ? (options.bindDn ?? '') : identity;
  return {
    facts: [
      { name: 'server', value: `${session.server}, ${productOf(facts)}` },
      ...domainController(facts),
      { name: 'bound as', value: anonymous ? 'nobody (anonymous)' : who },
    ],
    findings: anonymous
      ? [
          wrong(
            'the bind is anonymous',
            'A directory may hide people from nobody in particular: such a read never removes anyone.',
            'Set bindDn and bindPassword to an account that may read.',
          ),
        ]
      : [well(facts.whoAmI ? 'the server says whom it takes us for' : 'the bind was taken')],
  };
}

export function tellEncryption(scan: Scan, now: number): Told {
  const { options, session } = scan;
  const socket = session.tls;
  if (socket === undefined) return tellPlain(scan);
  const certificate = socket.getPeerCertificate();
  const until = Date.parse(certificate.valid_to);
  const names = (certificate.subjectaltname ?? '').replaceAll(/(?:DNS|IP Address):/g, '');
  const subject = names === '' ? String(certificate.subject.CN) : names;
  const value = `${socket.getProtocol() ?? 'TLS'}, certificate for ${subject} until ${dateOf(until)}`;
  const left = until - now;
  return {
    facts: [{ name: 'encryption', value }],
    findings: [
      options.tls.verify
        ? well('the connection is encrypted, and the certificate was verified')
        : drawback(
            'the certificate is not verified',
            'Anyone on the way can pretend to be the directory.',
            'Set tls.ca to your CA, and tls.verify to true.',
          ),
      ...(left < soonMs
        ? [
            drawback(
              `the certificate of the server ends on ${dateOf(until)}`,
              'From then on nothing is read.',
              'Renew it at the server.',
            ),
          ]
        : []),
    ],
  };
}

function tellPlain({ session, options }: Scan): Told {
  const { host } = parseLdapUrl(session.server);
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const secret = (options.bindPassword ?? '') !== '';
  const facts = [{ name: 'encryption', value: local ? 'none, on this machine' : 'none' }];
  if (local) return { facts, findings: [] };
  return {
    facts,
    findings: [
      drawback(
        secret ? 'the password travels unencrypted' : 'the connection is not encrypted',
        secret
          ? 'Anyone on the way can read it, and change who exists.'
          : 'Anyone on the way can change who exists.',
        'Use ldaps://, or set startTls to true.',
      ),
    ],
  };
}

/** Active Directory says what time it is (MS-ADTS 3.1.1.3.2.2). */
export function tellClock({ facts }: Scan, now: number): ProbeFinding[] {
  const theirs = parseGeneralizedTime(facts.root.get('currenttime')?.[0] ?? '');
  if (theirs === undefined || Math.abs(theirs - now) < clockMs) return [];
  const minutes = Math.round(Math.abs(theirs - now) / 60_000);
  return [
    drawback(
      `the clock of the server is ${String(minutes)} min ${theirs > now ? 'ahead of' : 'behind'} ours`,
      'Certificates and logs are judged by the clock.',
      'Let both follow a time server.',
    ),
  ];
}

function productOf({ root }: ServerFacts): string {
  const first = (name: string): string | undefined => root.get(name)?.[0];
  const vendor = [first('vendorname'), first('vendorversion')].filter((part) => part !== undefined).join(' ');
  if (vendor !== '') return vendor;
  if (root.get('objectclass')?.some((name) => name.toLowerCase() === 'openldaprootdse') === true)
    return 'OpenLDAP';
  if (first('domaincontrollerfunctionality') !== undefined) return 'Active Directory';
  return root.size === 0 ? 'which says nothing of itself' : 'of an unknown kind';
}

/** MS-ADTS 6.1.4: the level of the domain and of the server. */
const levels: Readonly<Record<string, string>> = {
  '0': '2000',
  '1': '2003 interim',
  '2': '2003',
  '3': '2008',
  '4': '2008 R2',
  '5': '2012',
  '6': '2012 R2',
  '7': '2016',
  '10': '2025',
};

function domainController({ root }: ServerFacts): ProbeFact[] {
  const level = root.get('domainfunctionality')?.[0];
  if (level === undefined) return [];
  const name = root.get('dnshostname')?.[0] ?? 'unnamed';
  const domain = root.get('defaultnamingcontext')?.[0] ?? '';
  const catalog = root.get('isglobalcatalogready')?.[0]?.toUpperCase() === 'TRUE' ? ', global catalog' : '';
  return [
    {
      name: 'controller',
      value: `${name} of ${domain}, functional level ${levels[level] ?? level}${catalog}`,
    },
  ];
}

function dateOf(time: number): string {
  return Number.isNaN(time) ? 'an unknown day' : new Date(time).toISOString().slice(0, 10);
}
