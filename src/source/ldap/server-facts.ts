/**
 * What a server says about itself in its root DSE (RFC 4512 §5.1), and who it says we are (RFC 4532).
 */
import { PresenceFilter } from 'ldapts';
import { RollcallError } from '../../errors.js';
import type { Session } from './session.js';

export interface ServerFacts {
  /** It pages (RFC 2696); undefined when it does not say. */
  readonly paging: boolean | undefined;
  /** It answers Who Am I. */
  readonly whoAmI: boolean;
  /** Its root DSE: values by attribute name, in lower case and with its options (`lastusn;userroot`). */
  readonly root: ReadonlyMap<string, readonly string[]>;
}

const pagingOid = '1.2.840.113556.1.4.319';
const whoAmIOid = '1.3.6.1.4.1.4203.1.11.3';

/** A root DSE that cannot be read says nothing: paging is then tried, and must be seen to work. */
export async function readServerFacts(session: Session, timeLimitSeconds: number): Promise<ServerFacts> {
  const answer = await session.search({
    baseDN: '',
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    // RFC 4512 §5.1: most are operational; 389-ds gives lastusn only by name.
    attributes: ['*', '+', 'lastusn'],
    timeLimit: timeLimitSeconds,
  });
  const found = new Map<string, readonly string[]>();
  for (const attribute of answer.status === 0 ? (answer.searchEntries[0]?.attributes ?? []) : []) {
    found.set(attribute.type.toLowerCase(), attribute.values.map(String));
  }
  return {
    paging: found.get('supportedcontrol')?.includes(pagingOid),
    whoAmI: found.get('supportedextension')?.includes(whoAmIOid) ?? false,
    root: found,
  };
}

/**
 * Throws when the server takes us for nobody although we bound as somebody. Undefined when the server cannot say; then the
 * session's own word that it is still bound has to do.
 */
export async function identityOf(
  session: Session,
  facts: ServerFacts,
  bindDn: string,
): Promise<string | undefined> {
  if (!facts.whoAmI) return undefined;
  const identity = await session.whoAmI();
  if (identity !== '' || bindDn === '') return identity;
  throw new RollcallError(
    'source',
    `${session.server} takes us for anonymous, although the bind as ${bindDn} succeeded`,
  );
}
