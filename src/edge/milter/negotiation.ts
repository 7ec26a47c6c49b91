/**
 * The negotiation that opens a milter connection: the MTA offers a version and what can be left out; we take from that.
 *
 * Asks for all that can be spared: no HELO, DATA, unknown commands, headers or body, and no waiting for our answer to
 * CONNECT and MAIL, which are kept for the client's address and the sender. Asks only for what was offered: an older MTA
 * sends more, and waits for more answers. Never asks for rights to change the message, and never for RCPT_REJ (1 << 11): what
 * the MTA has refused already is no question to us.
 */
import { uint32, uint32At } from './codec.js';
import { unanswered, versions, without } from './protocol.js';

export interface Wants {
  /** Headers and body, for a check that reads them. */
  readonly message: boolean;
}

export interface Negotiated {
  readonly version: number;
  /** SMFIP_* bits that hold for this connection. */
  readonly protocol: number;
}

const spared = without.helo | without.data | without.unknown;
const message = without.headers | without.endOfHeaders | without.body;
const silent = Object.values(unanswered).reduce((all, bit) => all | bit, 0);

/** `data` of the MTA's frame: version, actions, protocol. A string says what is wrong. */
export function negotiate(data: string, wants: Wants): Negotiated | string {
  if (data.length < 12) return 'an option negotiation that is too short';
  const version = uint32At(data, 0);
  if (version < versions.lowest)
    return `milter protocol version ${version}: ${versions.lowest} to ${versions.highest} are spoken`;
  const asked = spared | silent | (wants.message ? 0 : message);
  return { version: Math.min(version, versions.highest), protocol: asked & uint32At(data, 8) };
}

/** The data of our answer: no actions. */
export function negotiationData({ version, protocol }: Negotiated): string {
  return uint32(version) + uint32(0) + uint32(protocol);
}
