/** What a door to mail servers is made from, and what comes of it. */
import { readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.js';
import type { Edge } from '../../edge/listener.js';
import { messageOf, RollcallError } from '../../errors.js';
import type { Confirm, Decide, Serves, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import type { MailLog } from '../../telemetry/mail-log.js';

/** What every edge is given. */
export interface EdgeDeps {
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly serves: Serves;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog: MailLog;
}

export interface BuiltEdge {
  readonly edge: Edge;
  /** Takes over what may change while sessions are open: certificates. Throws `config`. */
  reload?(config: Config): void;
}

/** Makes the door when its section is there. Throws `config`. */
export type BuildEdge = (config: Config, deps: EdgeDeps) => BuiltEdge | undefined;

/** PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** `where`: the path of the `tls` section, for the message. */
export function readTls(tls: TlsFiles | undefined, where: string): TlsFiles | undefined {
  if (tls === undefined) return undefined;
  return { cert: readPem(tls.cert, `${where}.cert`), key: readPem(tls.key, `${where}.key`) };
}

export function readPem(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `${option}: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
