/**
 * The service log: what the program does, as JSON lines (pino) or as plain lines for a terminal.
 *
 * Promises a fixed message with fields, written in order. Refuses to write secrets: fields with the names below are
 * redacted down to the third level, whoever logs them. Verdicts go to the mail log (mail-log.ts), not here.
 */
import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { prettyStream } from './pretty.js';

export type Logger = PinoLogger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  /**
   * False for the mail log, whose typed events hold no secrets: looking for them in each line costs ten times the verdict.
   */
  readonly redact?: boolean;
  readonly level?: LogLevel;
  /** `json` (default) for machines, `pretty` for a terminal. */
  readonly format?: 'json' | 'pretty';
  /** Where lines go; standard error when absent, as standard output belongs to the answers of commands. */
  readonly destination?: DestinationStream;
}

const secrets = [
  'password',
  'bindPassword',
  'passphrase',
  'clientSecret',
  'secret',
  'token',
  'accessToken',
  'authorization',
  'Authorization',
  'cookie',
  'privateKey',
];

const redacted = secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** A logger without `pid` and `hostname`: the supervisor that keeps the lines knows both. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const out = options.destination ?? pino.destination({ fd: 2, sync: true });
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err },
      ...(options.redact !== false && { redact: { paths: redacted, censor: '[redacted]' } }),
    },
    options.format === 'pretty' ? prettyStream(out) : out,
  );
}

/** A logger that says nothing; for tests and for callers that have none. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

/** Gathers lines for at most half a second: a write for each would cost more than a verdict. Flushed when the process ends. */
const gathered = { sync: false, minLength: 8192, periodicFlush: 500 } as const;

/** Appends to a file, creating it with mode 0600: the mail log names people. */
export function fileDestination(path: string): DestinationStream {
  return pino.destination({ dest: path, append: true, mkdir: true, mode: 0o600, ...gathered });
}

/** Standard error, for many lines. */
export function busyDestination(): DestinationStream {
  return pino.destination({ fd: 2, ...gathered });
}
