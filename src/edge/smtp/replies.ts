/**
 * The fixed replies of the SMTP edge (RFC 5321 §4.2 codes, RFC 3463 enhanced status codes, RFC 2034). Replies to RCPT
 * come from the verdict table instead (policy/verdict.ts).
 */

export const smtpReplies = {
  ok: '250 2.0.0 Ok',
  sender: '250 2.1.0 Sender ok',
  bye: '221 2.0.0 Bye',
  help: '214 2.0.0 This server verifies recipients: EHLO, MAIL, RCPT, RSET, QUIT (RFC 5321)',
  startTls: '220 2.0.0 Ready to start TLS',
  // RFC 5321 §3.5.3: 252 is the answer of a server that does not tell; RCPT does.
  vrfy: '252 2.5.0 Not verified here: use RCPT TO',
  // RFC 5321 §4.2.5 and §3.4.2: refused after the recipients were answered.
  noMessage: '554 5.3.0 This server only verifies recipients; no message is taken',
  helo: '501 5.5.4 Syntax: EHLO hostname',
  heloFirst: '503 5.5.1 Send EHLO first',
  mailFirst: '503 5.5.1 Send MAIL first',
  rcptFirst: '503 5.5.1 Send RCPT first',
  nested: '503 5.5.1 MAIL was given already',
  tlsActive: '503 5.5.1 TLS is active already',
  mailSyntax: '501 5.5.4 Syntax: MAIL FROM:<address>',
  rcptSyntax: '501 5.5.4 Syntax: RCPT TO:<address>',
  vrfySyntax: '501 5.5.4 Syntax: VRFY address',
  startTlsSyntax: '501 5.5.4 Syntax: STARTTLS',
  parameter: '555 5.5.4 Parameter not recognised',
  controls: '500 5.5.2 Control characters are not allowed',
  unknown: '500 5.5.2 Command not recognised',
  unimplemented: '502 5.5.1 Command not implemented',
  tooLong: '500 5.5.2 Line too long',
  // RFC 5321 §4.5.3.1.10.
  tooManyRecipients: '452 4.5.3 Too many recipients',
  tooManyRejected: '421 4.7.0 Too many rejected recipients, closing',
  tooManyErrors: '421 4.7.0 Too many errors, closing',
  tooSoon: '421 4.7.0 You talk too soon, closing',
  http: '421 4.7.0 This is no HTTP server, closing',
  idle: '421 4.4.2 Idle for too long, closing',
  expired: '421 4.4.2 Session lasted too long, closing',
  closing: '421 4.3.2 Closing',
  shutdown: '421 4.3.2 Shutting down, try again in a moment',
  busy: '421 4.3.2 Too many connections, try again in a moment',
} as const;
