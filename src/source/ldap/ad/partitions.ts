/**
 * Where to look for changes: the partitions (naming contexts) that hold the bases of a source, and what kind of door the
 * session came in by.
 */
import { isBelow, normaliseDn } from '../dn.js';
import type { Reading } from '../changes.js';
import { parseLdapUrl } from '../dial.js';

/** A global catalog answers for the whole forest, with a part of the attributes, at ports of its own (MS-ADTS 3.1.1.3.2). */
export function isGlobalCatalog(reading: Reading): boolean {
  const { port } = parseLdapUrl(reading.session.server);
  return port === 3268 || port === 3269;
}

/**
 * The roots of the partitions in which the bases are, each once; undefined when one is in none that this server names. Of a
 * global catalog: the domains of the bases, or '' for the whole forest.
 */
export function partitionsOf(reading: Reading): readonly string[] | undefined {
  const roots = new Map<string, string>();
  for (const base of reading.options.baseDns) {
    const root = isGlobalCatalog(reading) ? domainOf(base) : contextOf(reading, base);
    const normal = root === undefined ? undefined : normaliseDn(root);
    if (root === undefined || normal === undefined) return undefined;
    roots.set(normal, root);
  }
  return [...roots.values()];
}

/**
 * Whether every base takes in its partition whole: then an object that moves stays below them, and so do those below an OU
 * that moves, which are not touched themselves.
 */
export function takesPartitionsWhole(reading: Reading, roots: readonly string[]): boolean {
  if (reading.options.scope !== 'sub') return false;
  const whole = roots.map((root) => normaliseDn(root));
  return reading.options.baseDns.every((base) => whole.includes(normaliseDn(base)));
}

function contextOf(reading: Reading, base: string): string | undefined {
  const dn = normaliseDn(base);
  if (dn === undefined || dn === '') return undefined;
  const holding = (reading.facts.root.get('namingcontexts') ?? []).filter((context) => {
    const normal = normaliseDn(context);
    return normal !== undefined && normal !== '' && isBelow(dn, normal);
  });
  // DomainDnsZones stands below the domain and is a partition of its own
  return holding.sort((a, b) => b.length - a.length)[0];
}

/** `DC=example,DC=com` of anything in that domain; undefined when it is no DN. */
export function domainOf(base: string): string | undefined {
  return normaliseDn(base) === undefined
    ? undefined
    : (/(?:^|,)\s*((?:DC\s*=[^,]*(?:,\s*|$))+)$/i.exec(base)?.[1] ?? '');
}
