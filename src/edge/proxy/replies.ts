/**
 * What the proxy says by itself (RFC 5321 §4.2 codes, RFC 3463 enhanced status codes), beside the fixed replies of the
 * SMTP edge. Replies about recipients come from the verdict table, all others from the next hop, as they are.
 *
 * Whatever the next hop's troubles, what is said here of them is a 4xx.
 */
import { smtpReplies } from '../smtp/replies.js';

export const proxyReplies = {
  ...smtpReplies,
  help: '214 2.0.0 Mail goes through to the server behind: EHLO, MAIL, RCPT, DATA, RSET, QUIT (RFC 5321)',
  noNextHop: '421 4.4.1 No server behind answers, try again later',
  changed: '421 4.4.1 Another server answers now, connect again',
  lost: '451 4.4.2 The server behind was lost, try again later',
  /** RFC 5321 §3.3: no valid recipient, no message. */
  noRecipients: '554 5.5.1 No valid recipients',
  allDeferred: '451 4.3.0 No recipient could be taken now, try again later',
  bareLineEnd: '500 5.5.2 Lines end with CR LF',
  injected: '554 5.5.1 Nothing may follow STARTTLS before TLS, closing',
  smuggling: '521 5.5.2 A dot alone on a line that does not begin and end with CR LF, closing',
  attributes: '501 5.5.4 Attributes not recognised',
  notTrusted: '550 5.7.0 Not for you',
  dataSyntax: '501 5.5.4 Syntax: DATA',
  midTransaction: '503 5.5.1 Not within a transaction',
} as const;
