/**
 * What a command works with: the terminal, and the configuration when it asks for it.
 *
 * Standard output carries the answer and nothing else: text for people, or one JSON value with `--json`. Everything beside
 * the answer goes to standard error.
 */
import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.js';
import type { ConfigIssue } from '../config/issues.js';
import { RollcallError } from '../errors.js';

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface Loaded {
  readonly file: string;
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
}

export interface Context {
  readonly json: boolean;
  readonly streams: Streams;
  readonly now: () => number;
  /** The answer for people; with `--json`, `value` instead. */
  answer(value: unknown, lines: () => readonly string[]): void;
  /** A remark beside the answer. */
  note(line: string): void;
  /** The configuration file in force. Throws `config` when there is none. */
  configFile(): string;
  load(): Promise<Loaded>;
}

export const defaultConfigFiles: readonly string[] = ['./config.json', '/etc/rollcall/config.json'];

export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function createContext(options: GlobalOptions, streams: Streams): Context {
  const json = options.json === true;
  const configFile = (): string => options.config ?? findConfig();
  return {
    json,
    streams,
    now: Date.now,
    answer: (value, lines) =>
      void streams.stdout.write(`${json ? JSON.stringify(value, null, 2) : lines().join('\n')}\n`),
    note: (line) => void streams.stderr.write(`${line}\n`),
    configFile,
    load: async () => {
      const { loadConfig } = await import('../config/load.js');
      const file = configFile();
      return { file, ...loadConfig(file) };
    },
  };
}

function findConfig(): string {
  const found = defaultConfigFiles.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new RollcallError(
    'config',
    `there is no configuration: neither ${defaultConfigFiles.join(' nor ')} exists`,
    {
      hint: 'Name the file with -c FILE; config.example.json is one to start from.',
    },
  );
}

/** Who is said, in the history and the audit trail, to have done what is done here. */
export function actorName(): string {
  const user = process.env['SUDO_USER'] ?? process.env['USER'] ?? process.env['LOGNAME'];
  return user === undefined || user === '' ? 'cli' : `cli:${user.slice(0, 64)}`;
}
