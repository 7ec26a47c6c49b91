/** Confirm on a miss, end to end: a real slapd, a real control, a real edge. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askOnce } from '../processes/policy-client.js';
import { eventually } from '../support/eventually.js';
import { haveSlapd, makePeople, startSlapd, type Slapd } from '../support/slapd.js';
import { createLiveHouse, newPerson, type LiveHouse } from './house.js';

describe.runIf(haveSlapd)('a person who is new in the directory', () => {
  let slapd: Slapd;
  const houses: LiveHouse[] = [];
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: makePeople(20).ldif });
  });
  afterEach(async () => {
    for (const house of houses.splice(0)) await house.remove();
  });
  afterAll(() => slapd.remove());

  async function house(
    ...options: Parameters<typeof createLiveHouse> extends [Slapd, ...infer R] ? R : never
  ) {
    const made = await createLiveHouse(slapd, ...options);
    houses.push(made);
    return made;
  }

  it('is accepted at the first mail, and is on the list afterwards', async () => {
    const it = await house();
    const control = await it.start('control');
    const edge = await it.start('edge');
    const port = edge.port('policy');
    expect(await askOnce(port, 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    await newPerson(slapd, 'grace');
    expect(await askOnce(port, 'grace@example.com')).toBe('DUNNO');
    await eventually(
      async () => (await it.cli(['check', 'grace@example.com'])).json,
      (json) => (json?.['claims'] as unknown[]).length === 1,
    );
    const { json } = await it.cli(['check', 'grace+news@example.com']);
    expect(json).toMatchObject({ reason: 'subaddress', recipient: 'grace@example.com', live: [] });
    expect(control.log()).toMatch(/grace@example\.com.*found by asking the directory/);
    const { json: runs } = await it.cli(['runs']);
    expect(JSON.stringify(runs)).toMatch(/"kind":"claim"/);
  });
});
