/**
 * A Postfix policy client (SMTPD_POLICY_README): connections that are kept, one request in flight on each, as smtpd does it.
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** One request with the attributes that Postfix 3.7 sends at RCPT TO. */
export function policyRequest(recipient) {
  return (
    'request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name=load.sender.example\nqueue_id=\n' +
    `sender=load@sender.example\nrecipient=${recipient}\nrecipient_count=0\nclient_address=192.0.2.7\n` +
    'client_name=unknown\nreverse_client_name=unknown\ninstance=1a2b.5f0.0\nsasl_method=\nsasl_username=\n' +
    'sasl_sender=\nsize=0\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n' +
    'encryption_protocol=\nencryption_cipher=\nencryption_keysize=0\netrn_domain=\nstress=\nclient_port=40000\n' +
    'policy_context=\nserver_address=192.0.2.1\nserver_port=25\ncompatibility_level=3.6\nmail_version=3.7.11\n\n'
  );
}

/** Opens a connection; `ask` sends a prepared request and resolves with the answer's action. */
export async function policyConnection(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
  await once(socket, 'connect');
  let text = '';
  let waiting;
  socket.on('data', (chunk) => {
    text += chunk;
    if (!text.endsWith('\n\n')) return;
    const answer = text.slice('action='.length, -2);
    text = '';
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the policy server closed the connection')));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** Asks `count` times over `connections` connections. Returns requests per second and the answers by first word. */
export async function policyLoad({ port, count, connections, recipients }) {
  const requests = recipients.map((recipient) => Buffer.from(policyRequest(recipient), 'latin1'));
  const actions = {};
  let next = 0;
  const open = await Promise.all(Array.from({ length: connections }, () => policyConnection(port)));
  const start = performance.now();
  const lane = async (connection) => {
    while (next < count) {
      const answer = await connection.ask(requests[next++ % requests.length]);
      const space = answer.indexOf(' ');
      const action = space === -1 ? answer : answer.slice(0, space);
      actions[action] = (actions[action] ?? 0) + 1;
    }
  };
  await Promise.all(open.map(lane));
  const taken = (performance.now() - start) / 1000;
  for (const connection of open) connection.close();
  return { requestsPerSecond: count / taken, actions };
}

/** Asks `rate` times a second for `forSeconds`, or until `until` settles; returns each answer's time in milliseconds. */
export async function policyLatencies({ port, rate, recipients, until }) {
  const requests = recipients.map((recipient) => Buffer.from(policyRequest(recipient), 'latin1'));
  const connection = await policyConnection(port);
  const times = [];
  let over = false;
  void until.finally(() => (over = true));
  const start = performance.now();
  for (let asked = 0; !over; asked++) {
    const due = start + (asked * 1000) / rate;
    // Timers of a millisecond are too coarse for the last part of the wait.
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
    const sent = performance.now();
    await connection.ask(requests[asked % requests.length]);
    times.push(performance.now() - sent);
  }
  connection.close();
  return times;
}

/**
 * An open loop: `count` questions arrive at `rate` a second, whatever the answers take, on whichever of `connections` is
 * free. Returns each answer's time in milliseconds from when its question was due, waiting for a free connection included.
 */
export async function policyArrivals({ port, rate, count, connections, recipients }) {
  const requests = recipients.map((recipient) => Buffer.from(policyRequest(recipient), 'latin1'));
  const free = await Promise.all(Array.from({ length: connections }, () => policyConnection(port)));
  const open = [...free];
  const times = [];
  const queue = [];
  const start = performance.now();
  const ask = async (connection, index) => {
    const due = start + (index * 1000) / rate;
    await connection.ask(requests[index % requests.length]);
    times.push(performance.now() - due);
    const next = queue.shift();
    if (next === undefined) free.push(connection);
    else await ask(connection, next);
  };
  const asked = [];
  for (let arrived = 0; arrived < count; await delay(1)) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * rate));
    for (; arrived < due; arrived++) {
      const connection = free.pop();
      if (connection === undefined) queue.push(arrived);
      else asked.push(ask(connection, arrived));
    }
  }
  await Promise.all(asked);
  for (const connection of open) connection.close();
  return times;
}
