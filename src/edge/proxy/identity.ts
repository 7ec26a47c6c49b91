/**
 * Who the client is, as the next hop is to hear it: what a front has told us, before what we see ourselves.
 *
 * Promises that nothing of ours is said in the name of somebody else: where a front gives an address and no more, the rest is
 * unknown.
 */
import { clientInfoOf, fromXtext, type ClientInfo } from './client-info.js';
import type { Ends } from './proxy-header.js';

/** What a front has told; it is trusted. */
export interface Told {
  /** By XCLIENT: for the session (XCLIENT_README). */
  readonly client?: ClientInfo | undefined;
  /** By XFORWARD: for one transaction (XFORWARD_README). */
  readonly message?: ClientInfo | undefined;
}

export interface Client {
  readonly told: Told;
  /** Of HELO or EHLO. */
  readonly name: string;
  readonly extended: boolean;
}

/** For XFORWARD, where what is left out is unknown. */
export function forwardInfo(client: Client, ends: Ends): ClientInfo {
  return toldBy(client) ?? ownInfo(client, ends);
}

/** For XCLIENT, where what is left out stays as the next hop sees it, which is us. */
export function clientInfo(client: Client, ends: Ends): ClientInfo {
  const told = toldBy(client) ?? new Map<string, string>();
  const own = new Map(ownInfo(client, ends));
  // [UNAVAILABLE] says there is no such name, and costs a client its mail where one is wanted; nobody has looked.
  own.set('NAME', '[TEMPUNAVAIL]');
  if (told.has('ADDR')) own.set('PORT', '[UNAVAILABLE]');
  own.delete('SOURCE');
  return new Map([...own, ...told]);
}

/** The name for EHLO after XCLIENT; undefined when the client gave none that could be. */
export function helloName(client: Client): string | undefined {
  const told = toldBy(client)?.get('HELO');
  return [told === undefined ? undefined : fromXtext(told), client.name].find(
    (name) => name !== undefined && helloNames.test(name),
  );
}

/** RFC 5321 §4.1.1.1: a domain, or an address literal; underscores are seen in life. */
const helloNames = /^(?:\w[\w.-]{0,252}|\[[\x21-\x5a\x5e-\x7e]{1,253}\])$/;

function toldBy({ told }: Client): ClientInfo | undefined {
  return told.message ?? told.client;
}

function ownInfo({ name, extended }: Client, ends: Ends): ClientInfo {
  return clientInfoOf({
    address: ends.sourceAddress,
    port: ends.sourcePort,
    helo: name,
    protocol: extended ? 'ESMTP' : 'SMTP',
  });
}
