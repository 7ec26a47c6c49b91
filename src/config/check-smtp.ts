/**
 * Checks of sources of kind `smtp`: a loop back to ourselves, lifetimes that contradict each other, what has no effect.
 */
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import type { Path } from './json.js';
import { isLoopback } from './listen-address.js';
import { isOwnDoor } from './own-doors.js';
import type { Config } from './schema.js';
import type { SmtpSourceConfig } from './source.js';
import { formatServer } from './source-smtp.js';

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
    ...(['positive', 'negative'] as const).flatMap((kind) =>
      source[kind].refresh > source[kind].expire
        ? [error([...path, kind, 'refresh'], 'must not be longer than "expire"')]
        : [],
    ),
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
