/**
 * The bare smtp-server, without its greeting delay of 100 ms, that accepts every recipient: `smtp-server.mjs PORT`.
 *
 * The subclass leaves out the wait and nothing else: the rest is the stock package.
 */

import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';

class EagerConnection extends SMTPConnection {
  init() {
    this._setListeners(() => this.connectionReady());
  }
}

class EagerServer extends SMTPServer {
  connect(socket, options) {
    const connection = new EagerConnection(this, socket, options);
    this.connections.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.on('connect', (data) => this._onClientConnect(data));
    connection.init();
  }
}

const server = new EagerServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  hidePIPELINING: false,
  logger: false,
  maxClients: 10_000,
  onRcptTo: (_address, _session, callback) => callback(),
});
server.on('error', () => {});
server.listen(Number(process.argv[2]), '127.0.0.1');
