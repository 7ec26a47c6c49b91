/** From the configuration to the logs: the service log on standard error, the mail log beside it or in a file. */
import { formatIssue, type ConfigIssue } from '../config/issues.js';
import type { Config } from '../config/schema.js';
import { busyDestination, createLogger, fileDestination, type Logger } from '../telemetry/log.js';
import { createMailLog, type MailLog } from '../telemetry/mail-log.js';

export interface Logs {
  readonly log: Logger;
  readonly mailLog: MailLog;
  /** After a reload: the new level. */
  readonly reload: (config: Config) => void;
  /** The mail log's file by its name again: at each SIGHUP, also when the configuration is refused. */
  readonly reopen: () => void;
}

/** Of a process that gives no verdicts. */
export function openServiceLog(config: Config, part: string): Pick<Logs, 'log' | 'reload'> {
  const log = createLogger({ level: config.log.level, format: config.log.format }).child({ part });
  return { log, reload: relevel(log) };
}

export function openLogs(config: Config, part: string): Logs {
  const { level, format, mail, addresses } = config.log;
  const { log, reload } = openServiceLog(config, part);
  const file = mail === undefined ? busyDestination() : fileDestination(mail);
  const mailLogger = createLogger({ level, format, destination: file, redact: false }).child({ part });
  return {
    log,
    mailLog: createMailLog(mailLogger, { addresses }),
    reload(next) {
      reload(next);
      mailLogger.level = next.log.level;
    },
    reopen() {
      if (mail !== undefined) file.reopen();
    },
  };
}

function relevel(log: Logger): (config: Config) => void {
  return (config) => {
    log.level = config.log.level;
  };
}

export function logWarnings(log: Logger, warnings: readonly ConfigIssue[]): void {
  for (const warning of warnings) log.warn({ config: formatIssue(warning) }, 'configuration');
}
