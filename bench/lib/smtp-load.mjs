/**
 * An SMTP client that asks as fast as it can: greeting, EHLO, then MAIL, all RCPTs and QUIT in one write (RFC 2920).
 *
 * Counts every reply by its code; a reply that does not come, or a session that is cut, is an error and fails the run.
 */

import { connect } from 'node:net';

/**
 * Runs `sessions` sessions, `concurrency` at a time, `perSession` recipients each, taken from `recipients` in turn.
 * Returns sessions and RCPTs per second and the RCPT replies by code.
 */
export async function smtpLoad({ port, sessions, concurrency, perSession, recipients }) {
  const scripts = prepare(recipients, perSession);
  const codes = {};
  let next = 0;
  const start = performance.now();
  const lane = async () => {
    while (next < sessions) await session(port, scripts[next++ % scripts.length], perSession, codes);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const taken = (performance.now() - start) / 1000;
  return { sessionsPerSecond: sessions / taken, rcptsPerSecond: (sessions * perSession) / taken, codes };
}

/** What one session sends after EHLO, made beforehand so that the client costs as little as may be. */
function prepare(recipients, perSession) {
  const scripts = [];
  for (let at = 0; at + perSession <= recipients.length; at += perSession) {
    const commands = recipients.slice(at, at + perSession).map((recipient) => `RCPT TO:<${recipient}>\r\n`);
    scripts.push(Buffer.from(`MAIL FROM:<load@sender.example>\r\n${commands.join('')}QUIT\r\n`, 'latin1'));
  }
  return scripts;
}

/** Replies in order: greeting, EHLO, MAIL, the RCPTs, QUIT. */
function session(port, script, perSession, codes) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    const last = 3 + perSession;
    let reply = 0;
    let rest = '';
    const onReply = (code) => {
      if (reply === 0) socket.write('EHLO load.sender.example\r\n');
      else if (reply === 1) socket.write(script);
      else if (reply > 2 && reply < last) codes[code] = (codes[code] ?? 0) + 1;
      reply++;
    };
    socket.on('data', (chunk) => {
      const text = rest + chunk;
      let from = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
        // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
        if (text[from + 3] !== '-') onReply(text.slice(from, from + 3));
        from = end + 1;
      }
      rest = text.slice(from);
    });
    socket.setTimeout(30_000, () => socket.destroy(new Error(`no reply ${reply} within 30 s`)));
    socket.on('end', () => socket.end());
    socket.on('error', reject);
    socket.on('close', () => {
      if (reply > last) resolve();
      else reject(new Error(`the session was cut after ${reply} replies`));
    });
  });
}
