/** SIGTERM to the built edge while 500 clients talk through its doors: every answer that was owed arrives. */
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { requestDoors } from '../edge/doors.js';
import { createRollcall, type Rollcall } from '../support/rollcall.js';

const houses: Rollcall[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.remove();
});

const doors = Object.keys(requestDoors);
const each = 500 / doors.length;
/** Enough that the edge is still at it when the signal comes. */
const rounds = 40;
const recipients = Array<string[]>(rounds).fill(['nobody@example.com', 'postmaster@example.com']).flat();

interface Client {
  readonly door: string;
  readonly socket: Socket;
  /** All that came until the server closed. */
  readonly all: Promise<string>;
}

async function open(door: string, port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1' });
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => (got += text));
  socket.on('error', () => undefined);
  const all = new Promise<string>((resolve) => socket.once('close', () => resolve(got)));
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return { door, socket, all };
}

describe('SIGTERM with 500 live sessions', () => {
  it('loses no answer that was owed', async () => {
    const house = createRollcall({
      // never synced: what is not always known is deferred, and no list is needed to see it
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: { kind: 'csv', path: 'staff.csv' } },
      edges: Object.fromEntries(doors.map((door) => [door, { listen: '127.0.0.1:0', drainTimeout: '30s' }])),
    });
    houses.push(house);
    const edge = await house.start('edge');
    const clients = await Promise.all(
      doors.flatMap((door) => Array.from({ length: each }, () => open(door, edge.port(door)))),
    );
    expect(clients).toHaveLength(500);
    // a first answer each: all of them are live sessions
    await Promise.all(
      clients.map(async ({ door, socket }) => {
        const first = new Promise((resolve) => socket.once('data', resolve));
        socket.write(requestDoors[door]?.request('postmaster@example.com') ?? '');
        await first;
      }),
    );
    await Promise.all(
      clients.map(
        ({ door, socket }) =>
          new Promise((resolve) => {
            const text = recipients.map((recipient) => requestDoors[door]?.request(recipient)).join('');
            socket.write(text, resolve);
          }),
      ),
    );
    const stopped = edge.stop();
    for (const { door, all } of clients) {
      const text = await all;
      const { acceptance, deferral } = requestDoors[door] ?? {};
      expect([door, text.match(acceptance ?? /$/)?.length, text.match(deferral ?? /$/)?.length]).toEqual([
        door,
        rounds + 1,
        rounds,
      ]);
    }
    await stopped;
  }, 60_000);
});
