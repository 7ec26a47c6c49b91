/** The edge by itself: what it answers when nobody keeps its list fresh, on a reload, and at its end. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createCsvHouse, type CsvHouse, type HouseOptions } from './csv-house.js';
import { askOnce, connectPolicy } from './policy-client.js';

const houses: CsvHouse[] = [];
async function syncedHouse(options?: HouseOptions): Promise<CsvHouse> {
  const house = createCsvHouse(options);
  houses.push(house);
  const { status, stderr } = await house.cli(['sync', 'people']);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return house;
}
afterEach(async () => {
  for (const each of houses.splice(0)) await each.remove();
});

const unknown = 'nobody@example.com';
const known = 'p3@example.com';

describe('edge without control', () => {
  it('past staleAfter defers whom it does not know and accepts whom it knows', async () => {
    const house = await syncedHouse({ domain: { staleAfter: '3s' } });
    const edge = await house.start('edge');
    const port = edge.port('policy');
    await eventually(
      () => askOnce(port, unknown),
      (answer) => answer.startsWith('451 4.4.3 Recipient list out of date'),
    );
    expect(await askOnce(port, known)).toBe('DUNNO');
  });

  it('answers before there is any list, and picks it up when it comes', async () => {
    const house = createCsvHouse();
    houses.push(house);
    const edge = await house.start('edge');
    const port = edge.port('policy');
    expect(await askOnce(port, known)).toMatch(/^451 4\.4\.3 /);
    expect(await askOnce(port, unknown)).toMatch(/^451 4\.4\.3 /);
    await house.cli(['sync', 'people']);
    await eventually(
      () => askOnce(port, unknown),
      (answer) => answer.startsWith('550 5.1.1 '),
    );
    expect(await askOnce(port, known)).toBe('DUNNO');
  });
});

describe('reload of the edge', () => {
  it('changes a domain’s policy while a connection stays open, and says what needs a restart', async () => {
    const house = await syncedHouse();
    const edge = await house.start('edge');
    const client = await connectPolicy(edge.port('policy'));
    expect(await client.ask(unknown)).toMatch(/^550 5\.1\.1 /);
    house.reconfigure({ domain: { mode: 'observe' }, policy: { maxConnections: 7 } });
    process.kill(edge.pid, 'SIGHUP');
    await eventually(
      () => client.ask(unknown),
      (answer) => answer === 'DUNNO',
    );
    expect(client.isOpen()).toBe(true);
    expect(edge.log()).toMatch(/edges\.policy\.maxConnections.*only after a restart/);
    client.close();
  });

  it('refuses a bad file, names what is wrong in it, and keeps the old one', async () => {
    const house = await syncedHouse();
    const edge = await house.start('edge');
    const client = await connectPolicy(edge.port('policy'));
    for (const bad of ['{ "domains": {', '{ "domains": { "example.com": { "mode": "enforced" } } }']) {
      writeFileSync(house.configFile, bad);
      const before = edge.log().split('refused').length;
      process.kill(edge.pid, 'SIGHUP');
      await eventually(
        () => edge.log().split('refused').length,
        (now) => now > before,
      );
      expect(await client.ask(unknown)).toMatch(/^550 5\.1\.1 /);
      expect(await client.ask(known)).toBe('DUNNO');
    }
    expect(edge.log()).toContain('domains[\\"example.com\\"].mode');
    client.close();
  });
});

describe('stop of the edge', () => {
  it('closes idle connections, takes no new one, and has written what it answered', async () => {
    const house = await syncedHouse();
    const edge = await house.start('edge');
    const port = edge.port('policy');
    const client = await connectPolicy(port);
    expect(await client.ask(unknown)).toMatch(/^550 /);
    const closed = client.closed();
    await edge.stop();
    await closed;
    expect(await askOnce(port, known)).toBe('gone');
    // the mail log gathers its lines, so the two may come in either order
    expect(edge.log()).toMatch(/"cut":0,"msg":"drained"/);
    expect(edge.log()).toMatch(/"msg":"stopped"/);
    const { json } = await house.cli(['stats']);
    expect(JSON.stringify(json)).toContain('unknown');
  });
});
