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

let [stampedAt, stamp] = [-1, ''];

/** ISO 8601, made once a millisecond. */
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedAt) {
    stampedAt = now;
    stamp = `,"time":"${new Date(now).toISOString()}"`;
  }
  return stamp;
}

/** A logger without `pid` and `hostname`: the supervisor that keeps the lines knows both. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const out = options.destination ?? quiet(pino.destination({ fd: 2, sync: true, maxLength: mostUnwritten }));
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp,
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

/** Appends to a file, creating it with mode 0600: the mail log names people. */
export function fileDestination(path: string): BusyDestination {
  return gather(
    pino.destination({
      dest: path,
      append: true,
      mkdir: true,
      mode: 0o600,
      sync: false,
      maxLength: mostUnwritten,
    }),
  );
}

/** Standard error, for many lines. */
export function busyDestination(): BusyDestination {
  return gather(pino.destination({ fd: 2, sync: false, maxLength: mostUnwritten }));
}

/** A destination for thousands of lines a second. */
export interface BusyDestination extends DestinationStream {
  /** Opens the file by its name again, after what was written has gone to the old one. */
  reopen(): void;
}

const gatheredCharacters = 32_768;
const gatheredMs = 200;

/**
 * Gathers lines for a fifth of a second at most: handing each to the stream costs as much as making it. Nothing is lost when
 * the process ends by itself; a kill -9 loses that fifth.
 */
function gather(out: SonicBoom): BusyDestination {
  let pending = '';
  let failing = false;
  quiet(out).on('error', () => (failing = true));
  out.on('write', () => (failing = false));
  const flushSync = out.flushSync.bind(out);
  // sonic-boom's own tries a full disk again for ever, and pino calls it when the process ends
  out.flushSync = () => {
    if (!failing) flushSync();
  };
  const flush = (): void => {
    if (pending === '' && !failing) return; // an empty write makes it try again what failed
    const text = pending;
    pending = '';
    quietly(() => out.write(text));
  };
  setInterval(flush, gatheredMs).unref();
  process.once('exit', () => {
    // no event loop is left: what the stream begins now it must also end; it looks at `sync` for each write
    Object.assign(out, { sync: true });
    flush();
    quietly(() => out.flushSync());
  });
  return {
    write(line: string): void {
      pending += line;
      if (pending.length >= gatheredCharacters) flush();
    },
    reopen(): void {
      flush();
      quietly(() => out.reopen());
    },
  };
}

type SonicBoom = ReturnType<typeof pino.destination>;

/** What may wait for a slow or full disk; lines beyond it are dropped: answers go before their record. */
const mostUnwritten = 16 * 1024 * 1024;

/** Without a listener an error of the stream would end the process: a full disk must not stop the answers. */
function quiet(out: SonicBoom): SonicBoom {
  return out.on('error', () => undefined);
}

/** sonic-boom throws while its file was never opened; the interval tries again. */
function quietly(write: () => unknown): void {
  try {
    write();
  } catch {
    // nowhere to tell of it: this is the log
  }
}
