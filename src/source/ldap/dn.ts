/**
 * Distinguished names compared: two spellings of one name have one normal form (RFC 4514, RFC 4517 §4.2.15).
 *
 * The normal form is itself a DN that servers take. Case is folded and white space squeezed in every value, as in the names
 * of people and groups; a directory that tells names apart by case would be taken for one that does not, which errs
 * towards accepting. Refuses what is no DN with undefined.
 */

/** RFC 4519 short names of types that are also written otherwise. */
const types: Readonly<Record<string, string>> = {
  commonname: 'cn',
  '2.5.4.3': 'cn',
  surname: 'sn',
  '2.5.4.4': 'sn',
  countryname: 'c',
  '2.5.4.6': 'c',
  localityname: 'l',
  '2.5.4.7': 'l',
  stateorprovincename: 'st',
  '2.5.4.8': 'st',
  organizationname: 'o',
  '2.5.4.10': 'o',
  organizationalunitname: 'ou',
  '2.5.4.11': 'ou',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
  domaincomponent: 'dc',
  '0.9.2342.19200300.100.1.25': 'dc',
};

/** Undefined for what is no DN. The empty DN is ''. */
export function normaliseDn(dn: string): string | undefined {
  const rdns = splitDn(dn);
  if (rdns === undefined) return undefined;
  const normal: string[] = [];
  for (const rdn of rdns) {
    const pairs = rdn.map(normalisePair);
    if (pairs.includes(undefined)) return undefined;
    // RFC 4514 §2.2: the order in a multi-valued RDN means nothing
    normal.push(pairs.sort().join('+'));
  }
  return normal.join(',');
}

/** Whether `dn` is `ancestor` or stands below it; both normal. */
export function isBelow(dn: string, ancestor: string): boolean {
  return ancestor === '' || dn === ancestor || dn.endsWith(`,${ancestor}`);
}

/** The DN above, normal; undefined for the empty one. */
export function parentOf(dn: string): string | undefined {
  const rdns = splitDn(dn);
  if (rdns === undefined || rdns.length === 0) return undefined;
  return normaliseDn(dn)?.slice((normaliseDn(firstRdn(dn)) ?? '').length + 1);
}

/** RDNs as lists of `type=value`, still escaped. */
function splitDn(dn: string): string[][] | undefined {
  if (dn.trim() === '') return [];
  const rdns: string[][] = [[]];
  let quoted = false;
  let from = 0;
  for (let at = 0; at <= dn.length; at += 1) {
    const character = dn[at];
    if (character === '\\') at += 1;
    else if (character === '"')
      quoted = !quoted; // RFC 2253 §4: values in quotes
    else if (character === undefined || (!quoted && ',;+'.includes(character))) {
      rdns.at(-1)?.push(dn.slice(from, at));
      from = at + 1;
      if (character === ',' || character === ';') rdns.push([]); // RFC 2253 §4: `;` for `,`
    }
  }
  return quoted || from <= dn.length ? undefined : rdns;
}

function firstRdn(dn: string): string {
  return splitDn(dn)?.[0]?.join('+') ?? '';
}

function normalisePair(pair: string): string | undefined {
  const at = pair.indexOf('=');
  if (at < 1) return undefined;
  const type = pair
    .slice(0, at)
    .trim()
    .toLowerCase()
    .replace(/^oid\./, '');
  if (!/^(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)+)$/.test(type)) return undefined;
  const value = valueOf(pair.slice(at + 1));
  if (value === undefined) return undefined;
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  return `${types[type] ?? type}=${escapeDnValue(folded)}`;
}

/** What an escaped value means. A value in hexadecimal form (`#04…`) stays as it is. */
function valueOf(written: string): string | undefined {
  // a space that was escaped belongs to the value, but never tells two names apart
  let text = written.replace(/^\s+/, '').replace(/(?<!\\)\s+$/, '');
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1);
  const octets: Buffer[] = [];
  for (const part of text.match(/(?:\\[0-9a-f]{2})+|\\[^]|[^\\]+|\\/gi) ?? []) {
    if (part === '\\') return undefined;
    // RFC 4514 §2.4: `\xx` are octets of UTF-8
    if (/^\\[0-9a-f]{2}/i.test(part)) octets.push(Buffer.from(part.replaceAll('\\', ''), 'hex'));
    else octets.push(Buffer.from(part.startsWith('\\') ? part.slice(1) : part));
  }
  return Buffer.concat(octets).toString('utf8');
}

/** RFC 4514 §2.4. */
function escapeDnValue(value: string): string {
  return value
    .replace(/[\\,+"<>;=]/g, (character) => `\\${character}`)
    .replace(/\0/g, '\\00')
    .replace(/^[ #]/, (character) => `\\${character}`);
}
