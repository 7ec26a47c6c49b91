/**
 * Reload: a new configuration takes the place of the old one, or, if anything in it is wrong, does not.
 *
 * Promises: a bad file is refused loudly, with everything that is wrong in it, and the old configuration stays; what
 * cannot change without a restart is named, and the rest takes effect.
 */
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';
import { logWarnings } from './logs.js';

export interface ReloadOptions {
  readonly configPath: string;
  readonly config: Config;
  readonly log: Logger;
  /** What of the configuration this process took at its start and cannot change: `edges`, `http`. */
  readonly fixed: (config: Config) => Readonly<Record<string, unknown>>;
  /** Puts the new configuration into force, with the old `dataDir`. What it throws refuses it. */
  readonly apply: (next: Config, previous: Config) => void;
}

export interface Reloader {
  /** The configuration in force. */
  readonly current: () => Config;
  readonly reload: () => void;
}

export function createReloader(options: ReloadOptions): Reloader {
  const { log } = options;
  let current = options.config;
  const atStart = options.fixed(current);
  let atDisk = atStart;

  function reload(): void {
    try {
      const { config, warnings } = loadConfig(options.configPath);
      logWarnings(log, warnings);
      atDisk = options.fixed(config);
      switchTo({ ...config, dataDir: current.dataDir });
    } catch (error) {
      log.error({ err: messageOf(error) }, 'new configuration refused: the old one stays in force');
      return;
    }
    log.info({ file: options.configPath }, 'configuration reloaded');
    const waiting = changedPaths(atStart, atDisk);
    if (waiting.length > 0) log.warn({ changed: waiting }, 'these changes take effect only after a restart');
  }

  /** What `apply` begins must find the new configuration in force already. */
  function switchTo(next: Config): void {
    const previous = current;
    current = next;
    try {
      options.apply(next, previous);
    } catch (error) {
      current = previous;
      throw error;
    }
  }

  return { current: () => current, reload };
}

/** Names of the values that differ. */
export function changedPaths(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** The options of a section, each by its path: `{ 'edges.smtp.listen': … }`. */
export function optionsOf(path: string, section: object | undefined): Record<string, unknown> {
  const entries = Object.entries(section ?? {});
  return Object.fromEntries(entries.map(([name, value]): [string, unknown] => [`${path}.${name}`, value]));
}
