/** Every place where a service of Postfix asks somebody about recipients, and which of them is Rollcall. */
import { listensAt, parseEndpoint, type Endpoint } from './endpoint.js';
import type { Front } from './postfix-input.js';
import { lateLists, rcptLists, stepsOf, withSettings } from './restrictions.js';
import { entriesOf, parseTable } from './tables.js';

export interface Ask {
  /** The door that speaks so: `policy`, `socketmap`, `tcp`, `milter`, `proxy`, `smtp`, or `export` for a file. */
  readonly door: string;
  /** The setting in which it stands. */
  readonly setting: string;
  /** As written. */
  readonly text: string;
  readonly endpoint: Endpoint;
  /** Whether that door of Rollcall listens there. */
  readonly ours: boolean;
}

export const recipientMaps = [
  'relay_recipient_maps',
  'virtual_mailbox_maps',
  'local_recipient_maps',
  'virtual_alias_maps',
] as const;

export function asksOf(front: Front): Ask[] {
  return [
    ...policyAsks(front),
    ...mapAsks(front),
    ...milterAsks(front),
    ...proxyAsks(front),
    ...verifyAsks(front),
  ];
}

function ask(front: Front, door: string, setting: string, text: string, where: string): Ask[] {
  const endpoint = parseEndpoint(where);
  if (endpoint === undefined) return [];
  const ours = listensAt(front.facts.doors[door] ?? [], endpoint, (path) => socketFiles(front, path));
  return [{ door, setting, text, endpoint, ours }];
}

/** A path counts from the queue directory when it is relative, and in a chroot in any case. */
function socketFiles({ values, service }: Front, path: string): string[] {
  const queue = values.get('queue_directory');
  if (!path.startsWith('/')) return [`${queue}/${path}`];
  return service?.chroot === true ? [path, `${queue}${path}`] : [path];
}

function policyAsks(front: Front): Ask[] {
  return [...rcptLists, ...lateLists].flatMap((list) =>
    stepsOf(front.values, list)
      .filter(({ name }) => name === 'check_policy_service')
      .flatMap(({ argument }) => {
        const { target } = withSettings(argument);
        return ask(front, 'policy', list, target, target);
      }),
  );
}

function mapAsks(front: Front): Ask[] {
  return recipientMaps.flatMap((setting) =>
    front.values.list(setting).flatMap((word) => {
      const table = parseTable(word);
      if (table === undefined) return [];
      // the name of the map stands last
      if (table.type === 'socketmap')
        return ask(front, 'socketmap', setting, word, table.rest.slice(0, table.rest.lastIndexOf(':')));
      if (table.type === 'tcp') return ask(front, 'tcp', setting, word, table.rest);
      return exported(front, table.rest)
        ? [{ door: 'export', setting, text: word, endpoint: { path: table.rest }, ours: true }]
        : [];
    }),
  );
}

/** A table is named without the ending of its file, and `sqlite:` by the file that describes it. */
function exported({ facts }: Front, path: string): boolean {
  const stem = (name: string): string => name.replace(/\.(lmdb|cdb|db|sqlite|cf|txt)$/, '');
  return (facts.exports ?? []).some((found) => found.path === path || stem(found.path) === stem(path));
}

function milterAsks(front: Front): Ask[] {
  return front.values.list('smtpd_milters').flatMap((word) => {
    const { target } = withSettings(word);
    return ask(front, 'milter', 'smtpd_milters', target, target);
  });
}

function proxyAsks(front: Front): Ask[] {
  const text = front.values.get('smtpd_proxy_filter').trim();
  return text === '' ? [] : ask(front, 'proxy', 'smtpd_proxy_filter', text, text);
}

/** Probes go where these settings say, when the service verifies at all. */
function verifyAsks(front: Front): Ask[] {
  if (!verifies(front)) return [];
  return ['address_verify_transport_maps', 'address_verify_relay_transport'].flatMap((setting) =>
    transports(front, setting).flatMap((text) => ask(front, 'smtp', setting, text, nextHopOf(text))),
  );
}

export function verifies({ values }: Front): boolean {
  return rcptLists.some((list) =>
    stepsOf(values, list).some(({ name }) => name === 'reject_unverified_recipient'),
  );
}

/** `smtp:[127.0.0.1]:2525` out of a transport or the tables of transports that can be read. */
export function transports({ values, read }: Front, setting: string): string[] {
  const texts = values.list(setting).flatMap((word) => {
    if (/^[a-z0-9_-]+:\[/i.test(word)) return [word];
    const table = parseTable(word);
    return table === undefined ? [] : (entriesOf(table, read) ?? []).map(({ value }) => value);
  });
  return [...new Set(texts)];
}

export function nextHopOf(transport: string): string {
  return transport.slice(transport.indexOf(':') + 1).replace(/^\[([\d.]+|[^\]:]+)\]/, '$1');
}
