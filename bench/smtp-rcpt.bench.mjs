/** RCPTs per second through the SMTP edge, 100 a session, half of them unknown, against the bare smtp-server. */

import { smtpContest } from './lib/smtp-contest.mjs';

await smtpContest({
  name: 'smtp-rcpt',
  unit: 'RCPT/s',
  load: { sessions: 1000, concurrency: 10, perSession: 100 },
  figure: (result) => result.rcptsPerSecond,
  target: { atLeast: 0.75 },
});
