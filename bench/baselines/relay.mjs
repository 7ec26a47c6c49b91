/** A relay that reads nothing: bytes to the next hop and back. `relay.mjs PORT NEXTHOP` */

import { connect, createServer } from 'node:net';

const [port, nextHop] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true }, (client) => {
  const hop = connect({ port: nextHop, host: '127.0.0.1', noDelay: true });
  for (const socket of [client, hop]) socket.on('error', () => socket.destroy());
  client.pipe(hop).pipe(client);
});
server.listen(port, '127.0.0.1');
