/**
 * An SMTP client that sends messages as a mail server does: one command, its reply, the next; several messages a session.
 *
 * Every reply is checked; a wrong one, or a session that is cut, fails the run.
 */

import { connect } from 'node:net';

/** Sends `messages` of `size` bytes on `sessions` connections at a time. Returns messages per second. */
export async function messageLoad({ port, messages, sessions, perSession, size, recipients }) {
  const body = `Subject: load\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(Math.ceil(size / 78))}.\r\n`;
  let next = 0;
  const start = performance.now();
  const lane = async () => {
    while (next < messages) {
      const first = next;
      next += perSession;
      await session(
        port,
        Array.from({ length: perSession }, (_, i) => recipients[(first + i) % recipients.length]),
        body,
      );
    }
  };
  await Promise.all(Array.from({ length: sessions }, lane));
  return next / ((performance.now() - start) / 1000);
}

function session(port, recipients, body) {
  const steps = [
    ['EHLO load.sender.example\r\n', '250'],
    ...recipients.flatMap((to) => [
      ['MAIL FROM:<load@sender.example>\r\n', '250'],
      [`RCPT TO:<${to}>\r\n`, '250'],
      ['DATA\r\n', '354'],
      [body, '250'],
    ]),
    ['QUIT\r\n', '221'],
  ];
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    let at = -1;
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
        if (line[3] === '-') continue;
        const expected = at === -1 ? '220' : steps[at][1];
        if (!line.startsWith(expected)) socket.destroy(new Error(`${line} in answer to step ${at}`));
        at += 1;
        if (at < steps.length) socket.write(steps[at][0]);
        else socket.end();
      }
    });
    socket.setTimeout(30_000, () => socket.destroy(new Error(`no reply to step ${at} within 30 s`)));
    socket.on('error', reject);
    socket.on('close', () => (at >= steps.length ? resolve() : reject(new Error(`cut at step ${at}`))));
  });
}
