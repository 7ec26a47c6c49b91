/** Checks of the `proxy` door: a loop back to ourselves, an open relay. */
import { error, warning } from './findings.js';
import type { CheckFinding } from './findings.js';
import { formatListenAddress, isLocal } from './listen-address.js';
import { formatNextHop } from './next-hop.js';
import { isOwnDoor } from './own-doors.js';
import type { Config } from './schema.js';

export function checkProxy(config: Config): CheckFinding[] {
  const { proxy } = config.edges;
  if (proxy === undefined) return [];
  const path = ['edges', 'proxy'];
  const loops = proxy.nextHops.flatMap((hop, index) =>
    isOwnDoor(config, hop)
      ? [
          error(
            [...path, 'nextHops', index],
            `${formatNextHop(hop)} is one of our own doors: mail would go in circles; name the server behind`,
          ),
        ]
      : [],
  );
  const open = proxy.listen.filter((address) => !isLocal(address)).map(formatListenAddress);
  if (proxy.foreignDomains === 'reject' || open.length === 0) return loops;
  const message = `with "pass", whoever reaches ${open.join(', ')} may send mail anywhere if the next hop lets us: listen on this machine only, or keep everybody but the mail server in front away`;
  return [...loops, warning([...path, 'foreignDomains'], message)];
}
