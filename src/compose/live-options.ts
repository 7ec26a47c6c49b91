/** From the configuration to what live look-ups need: which sources may be asked about one address, and how much. */
import { join } from 'node:path';
import type { Config } from '../config/schema.js';

/** Control's end of the live socket. */
export function livePath(dataDir: string): string {
  return join(dataDir, 'live.sock');
}

export interface LiveOptions {
  readonly tenant: string;
  readonly timeoutMs: number;
  readonly perSecond: number;
  readonly negativeForMs: number;
}

/** Undefined: there is no such source, it cannot be asked, or it is switched off. */
export function liveOptionsOf({ sources }: Config, name: string): LiveOptions | undefined {
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (source === undefined || !('confirm' in source) || !source.confirm.enabled) return undefined;
  const { timeout, perSecond, negativeFor } = source.confirm;
  return { tenant: source.tenant, timeoutMs: timeout, perSecond, negativeForMs: negativeFor };
}
