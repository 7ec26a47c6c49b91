/**
 * The last configuration that was right, for a child that `serve` starts again while the file on disk is wrong: a
 * refused reload must not turn into an outage when, hours later, a process dies.
 *
 * `serve` keeps a copy of the text and tells a child that it starts again where it lies; a first start never uses it. The
 * copy holds no secret: the configuration has references only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigIssue } from '../config/issues.js';
import { loadConfig, parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';

const variable = 'ROLLCALL_LAST_CONFIG';

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
  /** Why the file was not taken, but the last good copy of it. */
  readonly refused?: string;
}

/** The configuration to run with. Throws `config` when the file is wrong and there is no last good one. */
export function loadForStart(configPath: string): LoadedConfig {
  try {
    return loadConfig(configPath);
  } catch (error) {
    const last = process.env[variable];
    const parsed =
      last === undefined ? undefined : parseConfig(readFileSync(last, 'utf8'), { file: configPath });
    if (parsed?.ok !== true) throw error;
    return { config: parsed.config, warnings: parsed.warnings, refused: messageOf(error) };
  }
}

export interface LastConfig {
  /** Keeps the file as it is now, if it is right. */
  keep(): void;
  /** What a child that is started again finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export function createLastConfig(configPath: string, dataDir: string): LastConfig {
  const copy = join(dataDir, 'config.last-good.json');
  return {
    keep() {
      const text = readFileSync(configPath, 'utf8');
      if (!parseConfig(text, { file: configPath }).ok) return;
      mkdirSync(dataDir, { recursive: true, mode: 0o750 });
      writeFileSync(copy, text, { mode: 0o600 });
    },
    environment: { [variable]: copy },
  };
}
