/**
 * The numbers and letters of the milter protocol, versions 2 to 6, as far as this edge speaks it. Names are those of
 * Sendmail's libmilter (mfdef.h, mfapi.h) without their `SMFI` prefixes.
 *
 * A frame is a length (32 bits, big-endian, of what follows), one letter, and data. The MTA commands, the filter answers.
 */

/** The protocol versions this edge speaks. Version 2 is that of Sendmail 8.12, 6 that of 8.14 and of Postfix since 2.6. */
export const versions = { lowest: 2, highest: 6 } as const;

/** SMFIC_*: what the MTA sends. */
export const commands = {
  abort: 'A',
  body: 'B',
  connect: 'C',
  macro: 'D',
  endOfBody: 'E',
  helo: 'H',
  /** The SMTP client has gone, and the next one follows over the same connection. */
  quitNewConnection: 'K',
  header: 'L',
  mail: 'M',
  endOfHeaders: 'N',
  negotiate: 'O',
  quit: 'Q',
  recipient: 'R',
  data: 'T',
  unknown: 'U',
} as const;

/** SMFIR_*: what this edge answers. ACCEPT and SKIP are left out: both would hide later recipients from us. */
export const answers = { continue: 'c', negotiate: 'O', replyCode: 'y' } as const;

/** SMFIP_NO*: events that the MTA need not send. */
export const without = {
  helo: 1 << 1,
  body: 1 << 4,
  headers: 1 << 5,
  endOfHeaders: 1 << 6,
  unknown: 1 << 8,
  data: 1 << 9,
} as const;

/** SMFIP_NR_*, by command: events that the MTA sends without waiting for an answer. NR_RCPT is left out: it is the answer. */
export const unanswered = {
  [commands.header]: 1 << 7,
  [commands.connect]: 1 << 12,
  [commands.helo]: 1 << 13,
  [commands.mail]: 1 << 14,
  [commands.data]: 1 << 16,
  [commands.unknown]: 1 << 17,
  [commands.endOfHeaders]: 1 << 18,
  [commands.body]: 1 << 19,
} as const;

/** SMFIA_*: the address family of the SMTP client in CONNECT; the others (`U` unknown, `L` local) have no address for us. */
export const families = { inet: '4', inet6: '6' } as const;
