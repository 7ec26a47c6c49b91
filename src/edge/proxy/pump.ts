/**
 * Hands a message on, from the client's DATA to the final dot, at the pace of the slower side.
 *
 * Promises that the next hop sees a final dot only when the client sent one, that a next hop that is lost on the way makes
 * the rest of the message be read and thrown away, and that no more than a few chunks are ever held.
 */
import { createEndOfData } from './end-of-data.js';
import type { Hop } from './hop.js';
import { kindOf, type Reply } from './reply.js';
import { release } from './release.js';
import type { Wire } from './wire.js';

export type Pumped =
  /** What the next hop says of the message. */
  | { readonly kind: 'answered'; readonly reply: Reply }
  /** The client has sent all, and the next hop does not answer for it. */
  | { readonly kind: 'hop lost' }
  | { readonly kind: 'client lost' }
  | { readonly kind: 'smuggling' };

export interface PumpTimeouts {
  /** For the client's next bytes. */
  readonly clientMs: number;
  /** For the next hop to take some. */
  readonly blockMs: number;
  /** For its reply to the final dot. */
  readonly finalMs: number;
}

/** On anything but `answered`, the next hop is destroyed. */
export async function pump(client: Wire, hop: Hop, timeouts: PumpTimeouts): Promise<Pumped> {
  const data = createEndOfData();
  let taking = true;
  for (;;) {
    const chunk = await client.chunk(timeouts.clientMs);
    if (chunk === undefined) return lose(hop, 'client lost');
    const event = data.push(chunk);
    if (event.kind === 'smuggling') return lose(hop, 'smuggling');
    // A reply before the end is a refusal in mid-message, or nothing that can be trusted: it gets no more.
    const wrote = taking;
    if (taking) taking = !hop.wire.holds && (await hop.wire.writeAll(event.forward, timeouts.blockMs));
    if (!taking && !hop.wire.holds) hop.destroy();
    if (event.kind === 'more') {
      // Only what nobody reads any more: all of it is with the kernel, or it never was to be written.
      if (!wrote || hop.wire.socket.writableLength === 0) release(chunk);
      continue;
    }
    if (event.rest.length > 0) client.putBack(event.rest);
    return taking ? await answer(hop, timeouts.finalMs) : await earlyAnswer(hop);
  }
}

async function answer(hop: Hop, timeoutMs: number): Promise<Pumped> {
  const reply = await hop.reply(timeoutMs);
  if (reply === undefined || kindOf(reply) === 3) return lose(hop, 'hop lost');
  return { kind: 'answered', reply };
}

/** What it said before the end counts if it is a refusal. The connection is out of step either way. */
async function earlyAnswer(hop: Hop): Promise<Pumped> {
  const reply = hop.wire.holds ? await hop.reply(1000) : undefined;
  hop.destroy();
  return reply !== undefined && kindOf(reply) >= 4 ? { kind: 'answered', reply } : { kind: 'hop lost' };
}

function lose(hop: Hop, kind: 'hop lost' | 'client lost' | 'smuggling'): Pumped {
  hop.destroy();
  return { kind };
}
