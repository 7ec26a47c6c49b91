/** How Postfix writes where a service is: `inet:127.0.0.1:10040`, `unix:/run/rollcall/policy.sock`. */
import type { ListenAddress } from '../../config/listen-address.js';
import { commonNotes, delimitersOf, hostPort, some, type Facts } from './facts.js';

const queue = '/var/spool/postfix/';

/** Inside the queue directory the path counts from there: so it is right in a chroot and outside of it. */
export function postfixService(address: ListenAddress): string {
  if ('port' in address) return `inet:${hostPort(address)}`;
  return `unix:${address.path.startsWith(queue) ? address.path.slice(queue.length) : address.path}`;
}

export function postfixNotes(facts: Facts, door: string, address?: ListenAddress): string[] {
  const names = facts.domains.map(({ name }) => name);
  const delimiters = door === 'export' ? [] : delimitersOf(facts);
  const outside = address !== undefined && 'path' in address && !address.path.startsWith(queue);
  return [
    ...(names.length > 0
      ? [`relay_domains must name the domains that Postfix passes on: ${some(names)}.`]
      : []),
    ...(outside
      ? [
          `A chrooted smtpd (\`y\` in the fifth column of master.cf, Debian's default) cannot reach ${address.path}: listen ` +
            `in ${queue}rollcall/, or on 127.0.0.1. The user postfix must be in the group of the socket.`,
        ]
      : []),
    ...(delimiters.length > 0
      ? [
          `Rollcall tries addresses without what follows ${delimiters.join(' ')} itself; recipient_delimiter in main.cf ` +
            'matters to delivery only.',
        ]
      : []),
    'Then: postfix reload.',
    ...commonNotes(facts, door),
  ];
}

/** Not while a domain only observes: it accepts everybody, and a list that is in use would be gone. */
export function ownListOff({ domains }: Facts): string[] {
  const observed = domains.filter(({ mode }) => mode !== 'enforce').map(({ name }) => name);
  if (observed.length === 0)
    return [
      "# The list is Rollcall's: another one here would have to be kept true as well.",
      'relay_recipient_maps =',
    ];
  return [
    `# A list of your own stays until every domain is "enforce": Rollcall refuses nobody yet in ${some(observed)}. Then:`,
    '#relay_recipient_maps =',
  ];
}

export const aliasNote =
  'Names that only virtual_alias_maps knows are unknown here, and refused: they must be in a list of Rollcall as well. ' +
  'The socketmap door is asked after virtual_alias_maps.';
