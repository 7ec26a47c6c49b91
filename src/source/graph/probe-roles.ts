/**
 * What an access token says of the application: its name and its permissions (the claim `roles`). For people only: Graph may
 * change what its tokens look like (learn.microsoft.com/entra/identity-platform/access-tokens), so nothing rests on it, and a
 * token that cannot be read is no finding. Promises that nothing of the token but these claims is shown.
 */
import { drawback, type ProbeFact, type ProbeFinding, well } from '../probe.js';
import type { Collection, CollectionName } from './collections.js';
import { isRecord } from './graph-error.js';

/** learn.microsoft.com/graph/permissions-reference: what reads it besides the least one. */
const enough = {
  users: /^(?:User|Directory)\.Read(?:Write)?\.All$/,
  groups: /^(?:Group|GroupMember|Directory)\.Read(?:Write)?\.All$/,
  contacts: /^(?:OrgContact|Directory)\.Read(?:Write)?\.All$/,
} as const satisfies Record<CollectionName, RegExp>;

export interface Roles {
  /** ` (name)`, or empty. */
  readonly name: string;
  readonly facts: readonly ProbeFact[];
  readonly findings: readonly ProbeFinding[];
}

export function tellRoles(token: string, collections: readonly Collection[]): Roles {
  const claims = claimsOf(token);
  if (claims === undefined) return { name: '', facts: [], findings: [] };
  const { roles, app_displayname: name } = claims;
  const granted = Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
  const value = granted.length === 0 ? 'none' : granted.slice(0, 30).join(', ').slice(0, 500);
  return {
    name: typeof name === 'string' ? ` (${name.slice(0, 100)})` : '',
    facts: [{ name: 'permissions', value }],
    findings: [...collections.map((collection) => permissionOf(collection, granted)), ...surplus(granted)],
  };
}

function permissionOf({ name, permission }: Collection, granted: readonly string[]): ProbeFinding {
  const role = granted.find((each) => each === permission) ?? granted.find((each) => enough[name].test(each));
  if (role !== undefined) return well(`the application may read ${name}: ${role}`);
  // whether it can be read all the same is tried as well, and that decides
  return drawback(
    `the application has no permission to read ${name}`,
    'Then a run fails, and the list stays as it was.',
    `Add the application permission ${permission} to the app registration, and grant admin consent.`,
  );
}

function surplus(granted: readonly string[]): ProbeFinding[] {
  const writing = granted.filter((role) => /write|fullcontrol|accessasapp|send/i.test(role));
  if (writing.length === 0) return [];
  return [
    drawback(
      `the application may do more than read: ${writing.slice(0, 10).join(', ')}`,
      'Whoever gets at its secret may do so too. Rollcall only reads.',
      'Take these permissions from the app registration, or use one of its own.',
    ),
  ];
}

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
