/** Sessions per second through the SMTP edge, 50 at a time with one RCPT each, against the bare smtp-server. */

import { smtpContest } from './lib/smtp-contest.mjs';

await smtpContest({
  name: 'smtp-sessions',
  unit: 'sessions/s',
  load: { sessions: 20_000, concurrency: 50, perSession: 1 },
  figure: (result) => result.sessionsPerSecond,
  target: { atLeast: 0.8 },
});
