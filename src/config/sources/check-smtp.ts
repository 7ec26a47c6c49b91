/**
 * Checks of sources of kind `smtp`: a loop back to ourselves, lifetimes that contradict each other, witnesses that are none, what has no effect.
 */
import { error, warning } from '../findings.js';
import type { CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import { domainKey } from '../domain-name.js';
import { isLoopback } from '../listen-address.js';
import { isOwnDoor } from '../own-doors.js';
import type { Config } from '../schema.js';
import type { SmtpSourceConfig } from './smtp.js';
import { formatServer } from './smtp.js';

export function smtpChecks(config: Config, source: SmtpSourceConfig, path: Path): CheckFinding[] {
  return [
    ...source.hosts.flatMap((server, index) =>
      isOwnDoor(config, server)
        ? [
            error(
              [...path, 'hosts', index],
              `${formatServer(server)} is one of our own doors: it would ask itself; name the server behind`,
            ),
          ]
        : [],
    ),
    ...(source.positive.refresh > source.positive.expire
      ? [error([...path, 'positive', 'refresh'], 'must not be longer than "expire"')]
      : []),
    ...witnessChecks(config, source, path),
    ...(source.ca !== undefined && source.tls !== 'verified'
      ? [error([...path, 'ca'], 'has no effect without "tls": "verified"')]
      : []),
    ...plaintextChecks(source, path),
  ];
}

/** Somebody between here and the server could make everybody unknown. */
function plaintextChecks({ tls, hosts }: SmtpSourceConfig, path: Path): CheckFinding[] {
  const far = hosts.filter(({ host }) => !isLoopback(host));
  return tls === 'off' && far.length > 0
    ? [warning([...path, 'tls'], 'anyone between here and the server can read and change what it says')]
    : [];
}

/** A witness that any server takes, or that is asked for no domain, vouches for nothing. */
function witnessChecks(config: Config, { witness = [] }: SmtpSourceConfig, path: Path): CheckFinding[] {
  const name = path.at(-1);
  const domains = Object.entries(config.domains).filter(([, { sources }]) =>
    sources.some((each) => each === name),
  );
  const keys = domains.map(([domain]) => domainKey(domain) ?? domain);
  return witness.flatMap((address, index) => {
    const here = [...path, 'witness', index];
    const [local = '', domain = ''] = address.split('@');
    const key = domainKey(domain) ?? '';
    if (/^(?:postmaster|abuse)$/i.test(local))
      return [error(here, 'a server may take it without its list: name somebody else')];
    const isAsked = keys.some((each) => key === each || key.endsWith(`.${each}`));
    return isAsked ? [] : [warning(here, 'is in no domain that names this source: it vouches for nobody')];
  });
}
