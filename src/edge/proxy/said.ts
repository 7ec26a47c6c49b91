/** What is said to a command, and what comes of it. */
import type { Reply } from './reply.js';

/** What the session does once the reply is sent. */
export type Next = 'go on' | 'close' | 'start tls' | 'take data';

export interface Said {
  /** Lines joined by CRLF, without the last one. */
  readonly text: string;
  /** `error`: it counts against the client. */
  readonly then: Next | 'error';
}

export function said(text: string): Said {
  return { text, then: 'go on' };
}

export function wrong(text: string): Said {
  return { text, then: 'error' };
}

export function farewell(text: string): Said {
  return { text, then: 'close' };
}

/** The next hop's reply, as it is. RFC 5321 §3.8: after a 421 the connection is closed. */
export function passedOn(reply: Reply): Said {
  const text = reply.lines.join('\r\n');
  return reply.code === 421 ? farewell(text) : said(text);
}
