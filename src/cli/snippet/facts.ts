/**
 * What a snippet is made from: where the doors listen, which domains are served, which files are exported.
 *
 * Plain values, so that snippets are pure and tests make them without a configuration. Refuses what cannot be pasted: port 0,
 * which is another port after each start.
 */
import { isIPv6 } from 'node:net';
import { displayDomain } from '../../address/domain.js';
import type { ListenAddress } from '../../config/listen-address.js';
import { RollcallError } from '../../errors.js';

export interface Facts {
  /** Listen addresses by the door's name in `edges`. */
  readonly doors: Readonly<Record<string, readonly ListenAddress[] | undefined>>;
  readonly domains: readonly DomainFacts[];
  readonly exports?: readonly ExportFacts[];
  /** `host:port` of the mail servers behind the `proxy` door. */
  readonly nextHops?: readonly string[];
  /** What the `proxy` door does with domains that are not ours. */
  readonly proxyForeign?: 'reject' | 'pass';
  /** IP addresses of this machine, besides loopback. */
  readonly ownAddresses?: readonly string[];
  /** A source of kind `smtp` is asked while the mail server waits: a verdict may take 25 s. */
  readonly asksAhead?: boolean;
}

export interface DomainFacts {
  /** A-label. */
  readonly name: string;
  readonly mode: 'enforce' | 'observe' | 'off';
  readonly includeSubdomains: boolean;
  readonly subaddress: readonly string[];
  readonly caseSensitive?: boolean;
}

export interface ExportFacts {
  readonly name: string;
  readonly format: string;
  /** Absolute. */
  readonly path: string;
  /** A-labels; default: all. */
  readonly domains?: readonly string[];
  /** The command that runs after a change. */
  readonly hook?: readonly string[];
}

/** Lines to paste into one file. */
export interface SnippetFile {
  readonly file: string;
  readonly lines: readonly string[];
}

export interface SnippetBody {
  readonly files: readonly SnippetFile[];
  readonly notes: readonly string[];
}

export interface Snippet extends SnippetBody {
  readonly mta: string;
  readonly door: string;
}

/** One way in which a mail server asks: through a door, or by a file that is exported. */
export interface Way {
  /** As in `edges`, or `export`. */
  readonly door: string;
  /** What to add to the configuration when it is not there. */
  readonly example: string;
  /** Undefined: what it needs is not configured. */
  readonly make: (facts: Facts) => SnippetBody | undefined;
}

/** Where a client connects: the first address, or the first of the kind. A wildcard is reached over loopback. */
export function reach(facts: Facts, door: string, kind: 'any' | 'inet' = 'any'): ListenAddress | undefined {
  const found = (facts.doors[door] ?? []).find((address) => kind === 'any' || 'port' in address);
  if (found === undefined || 'path' in found) return found;
  if (found.port === 0) {
    throw new RollcallError('config', `edges.${door}.listen: port 0 is another port after each start`, {
      hint: 'Give it a fixed port, and paste the lines for that.',
    });
  }
  return { host: unwildcard(found.host), port: found.port };
}

export function unwildcard(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** `127.0.0.1:25`, `[::1]:25`. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Every spelling of the domains that a mail server may be given: A-label, and U-label where it differs. */
export function spellings({ name }: DomainFacts): string[] {
  const shown = displayDomain(name);
  return shown === name ? [name] : [name, shown];
}

/** What is worth knowing whatever the mail server and the door. */
export function commonNotes(facts: Facts, door: string): string[] {
  const observed = facts.domains.filter(({ mode }) => mode !== 'enforce').map(({ name }) => name);
  const addresses = facts.doors[door] ?? [];
  const everywhere = addresses.some((a) => 'host' in a && unwildcard(a.host) !== a.host);
  return [
    ...(everywhere
      ? [
          'Rollcall listens on every address of its machine; these lines are for a mail server on the same one. ' +
            'Elsewhere, put its address instead.',
        ]
      : []),
    ...(addresses.length > 1 ? ['The door has several addresses; these lines use the first that fits.'] : []),
    ...(observed.length > 0
      ? [
          `Nobody is refused yet in ${some(observed)}: set "mode": "enforce" when \`rollcall stats\` looks right.`,
        ]
      : []),
  ];
}

/** Seconds that a mail server has to wait for an answer: more than a verdict takes at most. */
export function patience({ asksAhead }: Facts): '10s' | '30s' {
  return asksAhead === true ? '30s' : '10s';
}

/** With the domains of one export alone: a file names nobody else, and would refuse them. */
export function exportedFacts(facts: Facts, { domains }: ExportFacts): Facts {
  if (domains === undefined) return facts;
  return { ...facts, domains: facts.domains.filter(({ name }) => domains.includes(name)) };
}

/** Every delimiter of subaddresses that some domain has. */
export function delimitersOf({ domains }: Facts): string[] {
  return [...new Set(domains.flatMap(({ subaddress }) => subaddress))];
}

/** The first few, and how many more. */
export function some(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
