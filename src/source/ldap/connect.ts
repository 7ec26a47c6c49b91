/**
 * Connects to the first server that answers, and binds.
 *
 * Servers are tried in order while they cannot be reached, fail TLS, or say that they are busy; a refused bind ends it,
 * because the same wrong password at every server locks accounts. All that failed is in the message.
 */
import type { Socket } from 'node:net';
import { BusyError, ResultCodeError, UnavailableError } from 'ldapts';
import { RollcallError } from '../../errors.js';
import { adopt, dial } from './dial.js';
import { explain } from './explain.js';
import type { LdapSourceOptions } from './options.js';
import { Session } from './session.js';

/** Throws a RollcallError `source` that says for each server why not; rethrows the abort reason. */
export async function connect(options: LdapSourceOptions, signal: AbortSignal): Promise<Session> {
  refuseEmptyPassword(options);
  const failures: RollcallError[] = [];
  for (const url of options.urls) {
    try {
      return await open(url, options, signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = explain(url, error);
      if (isFinal(error)) throw failure;
      failures.push(failure);
    }
  }
  throw allFailed(failures);
}

async function open(url: string, options: LdapSourceOptions, signal: AbortSignal): Promise<Session> {
  const socket = await dial(url, { ...options, signal });
  const client = adopt(socket, url, options.timeoutMs);
  const abort = (): void => void socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await client.bind(options.bindDn ?? '', options.bindPassword ?? '');
    return new Session(client, socket, url);
  } catch (error) {
    quietly(socket);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * RFC 4513 §5.1.2: a name without a password is an unauthenticated bind, which servers answer with success and treat as
 * anonymous: a secret that is missing would read as an empty directory.
 */
function refuseEmptyPassword(options: LdapSourceOptions): void {
  if ((options.bindDn ?? '') === '' || (options.bindPassword ?? '') !== '') return;
  throw new RollcallError(
    'source',
    `source ${options.name}: the password of ${options.bindDn ?? ''} is empty`,
    {
      hint: 'Set bindPassword: with an empty one the server would take the bind for an anonymous one.',
    },
  );
}

/** The server was reached and refused us: no other is asked. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof ResultCodeError && !(error instanceof BusyError) && !(error instanceof UnavailableError)
  );
}

function allFailed(failures: readonly RollcallError[]): RollcallError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const message = failures.map((failure) => failure.message).join('; ');
  return new RollcallError('source', `no server can be used: ${message}`, {
    hint: first?.hint ?? '',
    cause: first,
  });
}

function quietly(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.destroy();
}
