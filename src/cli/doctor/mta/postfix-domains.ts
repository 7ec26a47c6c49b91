/** Which domains Postfix takes mail for, in which class, against those that Rollcall serves. */
import { normaliseDomain } from '../../../address/domain.js';
import type { Facts } from '../../snippet/facts.js';
import { fault, type MtaFinding } from './catalogue.js';
import type { Ask } from './postfix-asks.js';
import type { Front } from './postfix-input.js';
import { words } from './postconf-parse.js';
import type { Values } from './postfix-values.js';
import { entriesOf, parseTable } from './tables.js';

export const domainClasses = [
  'relay_domains',
  'mydestination',
  'virtual_mailbox_domains',
  'virtual_alias_domains',
] as const;

export interface DomainList {
  /** Lower case, A-labels where they can be; a leading dot stays. */
  readonly names: readonly string[];
  /** Not all of it could be read. */
  readonly partly: boolean;
}

export function domainsIn({ values, read }: Pick<Front, 'values' | 'read'>, setting: string): DomainList {
  const names: string[] = [];
  let partly = false;
  const add = (word: string): void => {
    const table = word.startsWith('[') ? undefined : parseTable(word);
    const text = word.startsWith('/') ? read(word) : undefined;
    if (table !== undefined) {
      const entries = entriesOf(table, read);
      if (entries === undefined || ['regexp', 'pcre'].includes(table.type)) partly = true;
      else names.push(...entries.map(({ key }) => key).filter((key) => !key.includes('@')));
    } else if (text !== undefined) names.push(...words(text, true));
    else if (word.startsWith('/')) partly = true;
    else if (!/[$!{]/.test(word)) names.push(word);
  };
  values.list(setting).forEach(add);
  return { names: names.map(spelled), partly };
}

function spelled(name: string): string {
  const dot = name.startsWith('.') ? '.' : '';
  return `${dot}${normaliseDomain(name.slice(dot.length)) ?? name.slice(dot.length).toLowerCase()}`;
}

/** Whether Rollcall has an opinion about a domain. */
export function isServed({ domains }: Facts, name: string): boolean {
  const bare = name.replace(/^\./, '');
  return domains.some(
    (domain) => bare === domain.name || (domain.includeSubdomains && bare.endsWith(`.${domain.name}`)),
  );
}

export function checkDomains(front: Front, asks: readonly Ask[]): MtaFinding[] {
  const lists = new Map(domainClasses.map((name) => [name, domainsIn(front, name)]));
  return [
    ...checkUnserved(front, lists),
    ...checkMissing(front, lists, asks),
    ...checkTwice(front, lists),
    ...checkSubdomains(front, lists),
  ];
}

type Lists = ReadonlyMap<(typeof domainClasses)[number], DomainList>;
const mostNamed = 10;

/** mydestination is left out: its names are mostly those of the machine. */
function checkUnserved({ facts, values }: Front, lists: Lists): MtaFinding[] {
  return (['relay_domains', 'virtual_mailbox_domains'] as const).flatMap((setting) =>
    [...new Set(lists.get(setting)?.names ?? [])]
      .filter((name) => !isServed(facts, name))
      .slice(0, mostNamed)
      .map((name) =>
        fault('postfix-domain-unserved', values.where(setting), `${name} is no domain of Rollcall`),
      ),
  );
}

function checkMissing({ facts, values }: Front, lists: Lists, asks: readonly Ask[]): MtaFinding[] {
  const all = [...lists.values()];
  // a table that cannot be read here may have it; so may a proxy, that takes everything
  if (all.some(({ partly }) => partly) || asks.some(({ door }) => door === 'proxy')) return [];
  const taken = all.flatMap(({ names }) => names);
  const parents = inheritsSubdomains(values) ? (lists.get('relay_domains')?.names ?? []) : [];
  return facts.domains
    .filter(
      ({ name }) =>
        !taken.includes(name) &&
        !taken.some((other) => other.startsWith('.') && name.endsWith(other)) &&
        !parents.some((parent) => name.endsWith(`.${parent}`)),
    )
    .slice(0, mostNamed)
    .map(({ name }) =>
      fault(
        'postfix-domain-missing',
        values.where('relay_domains'),
        `${name} is in none of the domain lists`,
      ),
    );
}

function checkTwice({ facts, values }: Front, lists: Lists): MtaFinding[] {
  return facts.domains.flatMap(({ name }) => {
    const classes = [...lists].filter(([, { names }]) => names.includes(name)).map(([setting]) => setting);
    // relay_domains beside virtual_alias_domains is as wrong as any other two
    if (classes.length < 2) return [];
    const [first = 'relay_domains'] = classes;
    return [fault('postfix-domain-twice', values.where(first), `${name} is in ${classes.join(' and ')}`)];
  });
}

function inheritsSubdomains(values: Values): boolean {
  return values.list('parent_domain_matches_subdomains').includes('relay_domains');
}

function checkSubdomains({ facts, values }: Front, lists: Lists): MtaFinding[] {
  const { names } = lists.get('relay_domains') ?? { names: [] };
  const alone = (name: string): boolean =>
    facts.domains.some((domain) => domain.name === name && !domain.includeSubdomains);
  const dotted = names.filter((name) => name.startsWith('.') && alone(name.slice(1)));
  const inherited = inheritsSubdomains(values) ? names.filter(alone) : [];
  const about = values.where('relay_domains');
  return [...new Set([...dotted, ...inherited])]
    .slice(0, mostNamed)
    .map((name) =>
      fault('postfix-subdomains', about, `${name} also takes in every x.${name.replace(/^\./, '')}`),
    );
}
