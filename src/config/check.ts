/**
 * Checks that span sections: does what is named exist, does it belong to the same tenant, do two things collide.
 *
 * Promises one finding per mistake, at the key where it is mended. Errors refuse the file; warnings are for what is
 * allowed and often wrong.
 */
import { checkDomains } from './check-domains.js';
import { checkExports } from './check-exports.js';
import { checkProxy } from './check-proxy.js';
import { checkDropFolders } from './sources/check-csv-delivery.js';
import { checkSources } from './sources/check-sources.js';
import { checkTenants } from './check-tenants.js';
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import { formatListenAddress, isLocal } from './listen-address.js';
import type { ListenAddress } from './listen-address.js';
import type { Path } from './json.js';
import type { Config } from './schema.js';

/** `folder` is the one that relative paths count from. */
export function checkConfig(config: Config, folder: string): CheckFinding[] {
  return [
    ...checkTenants(config),
    ...checkDomains(config),
    ...checkSources(config),
    ...checkDropFolders(config, folder),
    ...checkExports(config, folder),
    ...checkProxy(config),
    ...checkListeners(config),
  ];
}

interface Door {
  readonly path: Path;
  readonly address: ListenAddress;
}

function doors({ edges, http }: Config): Door[] {
  const lists: { path: Path; addresses?: readonly ListenAddress[] | undefined }[] = [
    ...Object.entries(edges).map(([name, edge]) => ({
      path: ['edges', name, 'listen'],
      addresses: edge?.listen,
    })),
    { path: ['http', 'listen'], addresses: http?.listen },
  ];
  return lists.flatMap(({ path, addresses = [] }) => addresses.map((address) => ({ path, address })));
}

function checkListeners(config: Config): CheckFinding[] {
  const taken = new Set<string>();
  return doors(config).flatMap(({ path, address }) => {
    const text = formatListenAddress(address);
    const free = 'port' in address && address.port === 0;
    if (taken.has(text) && !free) return [error(path, `${text} is listened on twice: give each its own`)];
    taken.add(text);
    return isLocal(address) ? [] : [warning(path, openDoor(path, text))];
  });
}

function openDoor(path: Path, address: string): string {
  return path[0] === 'http'
    ? `${address} is open to other machines and HTTP is not encrypted: tokens and lists can be read on the way`
    : `${address} is open to other machines: whoever reaches it can ask which addresses exist`;
}
