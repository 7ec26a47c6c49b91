/** From the configuration to the logs: the service log on standard error, the mail log beside it or in a file. */
import { formatIssue, type ConfigIssue } from '../config/issues.js';
import type { Config } from '../config/schema.js';
import { busyDestination, createLogger, fileDestination, type Logger } from '../telemetry/log.js';
import { createMailLog, type MailLog } from '../telemetry/mail-log.js';

export interface Logs {
  readonly log: Logger;
  readonly mailLog: MailLog;
  /** After a reload: the new level, and the mail log's file by its name again (it may have been rotated). */
  readonly reload: (config: Config) => void;
}

export function openLogs(config: Config, part: string): Logs {
  const { level, format, mail, addresses } = config.log;
  const log = createLogger({ level, format }).child({ part });
  const file = mail === undefined ? busyDestination() : fileDestination(mail);
  const mailLogger = createLogger({ level, format, destination: file, redact: false }).child({ part });
  return {
    log,
    mailLog: createMailLog(mailLogger, { addresses }),
    reload(next) {
      relevel(log)(next);
      mailLogger.level = next.log.level;
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
