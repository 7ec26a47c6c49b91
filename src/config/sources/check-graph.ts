/** Checks of sources of kind `graph`: how the application proves who it is, and what Graph cannot tell. */
import { error, warning, type CheckFinding } from '../findings.js';
import type { Path } from '../json.js';
import type { GraphSourceConfig } from './graph.js';

export function graphChecks(source: GraphSourceConfig, path: Path): CheckFinding[] {
  return [...credentialChecks(source, path), ...coverChecks(source, path), ...disabledChecks(source, path)];
}

function credentialChecks({ clientSecret, certificate }: GraphSourceConfig, path: Path): CheckFinding[] {
  if (clientSecret === undefined && certificate === undefined)
    return [
      error([...path, 'clientSecret'], 'must be set, or "certificate": the application has to sign in'),
    ];
  return clientSecret !== undefined && certificate !== undefined
    ? [error([...path, 'clientSecret'], 'must not be set together with "certificate": keep one')]
    : [];
}

function coverChecks({ include, cloud, endpoints }: GraphSourceConfig, path: Path): CheckFinding[] {
  const missing = (['users', 'groups', 'contacts'] as const).filter((name) => !include.includes(name));
  const twice = new Set(include).size < include.length;
  return [
    ...(twice ? [error([...path, 'include'], 'names one of them twice')] : []),
    ...(missing.length > 0
      ? [
          warning(
            [...path, 'include'],
            `leaves out ${missing.join(' and ')}: their addresses must be in another source of the domain`,
          ),
        ]
      : []),
    ...(endpoints !== undefined && cloud !== 'global'
      ? [error([...path, 'endpoints'], 'say where the services are, and "cloud" does as well: keep one')]
      : []),
  ];
}

/** A shared mailbox that is refused is the greater harm: the option that allows it says what it rests on. */
function disabledChecks(
  { respectDisabled, noSharedMailboxes }: GraphSourceConfig,
  path: Path,
): CheckFinding[] {
  if (!respectDisabled || noSharedMailboxes) return [];
  const message =
    'would refuse shared, room and equipment mailboxes, whose accounts are disabled and cannot be told apart: leave it out, or set "noSharedMailboxes": true if there are none';
  return [error([...path, 'respectDisabled'], message)];
}
