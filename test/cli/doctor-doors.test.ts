/** Doctor at the doors of a running edge, and at addresses where somebody else listens. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { createRollcall } from '../support/rollcall.js';

const names = ['smtp', 'policy', 'socketmap', 'tcp', 'readsocket', 'milter', 'proxy', 'http'] as const;

/** An address for each door. */
function edgesAt(port: (name: string) => number): Record<string, object> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { listen: `127.0.0.1:${port(name)}`, ...(name === 'proxy' && { nextHops: ['127.0.0.1:1'] }) },
    ]),
  );
}

async function portsFor(): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const name of names) ports[name] = await freePort();
  return ports;
}

describe('doctor at the doors', () => {
  const defer = deferred();

  async function look(ports: Record<string, number>, isRunning: boolean): Promise<Record<string, string>> {
    const rollcall = createRollcall({ domains: {}, sources: {}, edges: edgesAt((name) => ports[name] ?? 0) });
    defer(() => rollcall.remove());
    if (isRunning) await rollcall.start('edge');
    const { json } = await rollcall.cli(['doctor']);
    const findings = json?.['findings'] as { about: string; what: string }[];
    return Object.fromEntries(
      names.map((name) => [
        name,
        findings.find(({ about }) => about === `${name} on 127.0.0.1:${ports[name] ?? 0}`)?.what ??
          'not looked at',
      ]),
    );
  }

  const each = (what: string): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, what]));

  it('recognises each door of Rollcall', async () => {
    expect(await look(await portsFor(), true)).toEqual(each('Rollcall answers'));
  }, 60_000);

  it('says when a door is free', async () => {
    expect(await look(await portsFor(), false)).toEqual(each('free: nothing listens there now'));
  }, 60_000);

  it('takes a stranger for what it is', async () => {
    const ports: Record<string, number> = {};
    for (const name of names) {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => undefined));
        socket.end('* OK IMAP4rev1 ready\r\n');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      defer(() => void server.close());
      const address = server.address();
      ports[name] = typeof address === 'object' ? (address?.port ?? 0) : 0;
    }
    expect(await look(ports, false)).toEqual(each('something else listens there'));
  }, 60_000);
});
