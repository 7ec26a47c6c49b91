import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import { HttpHouse, people } from './http-house.js';

let house: HttpHouse;
let admin: string;

beforeEach(async () => {
  house = await new HttpHouse().start();
  admin = house.token('admin');
});
afterEach(() => house.close());

const sync = '/v1/sources/staff/sync';

async function heldRun(): Promise<{ run: number; hash: string }> {
  await house.post(sync, admin);
  house.writeList('staff', people(50));
  const { json, status } = await house.post(sync, admin);
  expect(status).toBe(202);
  return { run: Number(json['run']), hash: String(json['planHash']) };
}

describe('a sync', () => {
  it('applies, then is unchanged; a dry run only plans', async () => {
    expect((await house.post(sync, admin, { dryRun: true })).json).toMatchObject({ state: 'planned' });
    expect((await house.post(sync, admin)).json).toMatchObject({ state: 'applied', counts: { added: 100 } });
    const again = await house.post(sync, admin, {});
    expect(again.status).toBe(200);
    expect(again.json).toMatchObject({ state: 'unchanged' });
  });

  it('of a source that fails answers 502 with the reason', async () => {
    rmSync(`${house.folder}/staff.csv`);
    const answer = await house.post(sync, admin);
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({ state: 'failed', error: { code: 'source' } });
  });

  it('while another is in progress answers 409', async () => {
    house.beforeJob = () => Promise.reject(new RollcallError('conflict', 'run 1 is still in progress'));
    const answer = await house.post(sync, admin);
    expect(answer.status).toBe(409);
    expect(answer.json).toEqual({
      error: { code: 'conflict', message: 'run 1 is still in progress', hint: '' },
    });
  });

  it.each([[{ dryrun: true }], [{ dryRun: 'yes' }], [[]]])('with the body %j is refused', async (body) => {
    expect((await house.post(sync, admin, body)).status).toBe(400);
  });

  it('with a body that is no JSON, or too large, is refused', async () => {
    const headers = { 'content-type': 'application/json' };
    const broken = await house.ask('POST', sync, admin, { body: '{', headers });
    expect(broken).toMatchObject({ status: 400, json: { error: { code: 'usage' } } });
    const large = await house.ask('POST', sync, admin, { body: JSON.stringify('x'.repeat(70_000)), headers });
    expect(large).toMatchObject({ status: 413, json: { error: { code: 'usage' } } });
  });
});

describe('what is held', () => {
  it('is shown, approved only with the hash that was seen, and rolled back', async () => {
    const { run, hash } = await heldRun();
    const shown = await house.ask('GET', `/v1/runs/${run}`, admin);
    expect(shown.json).toMatchObject({ state: 'held', resolution: 'pending', planHash: hash });
    expect(shown.json['held']).toHaveLength(50);

    expect((await house.post(`/v1/runs/${run}/approve`, admin)).status).toBe(400);
    expect((await house.post(`/v1/runs/${run}/approve`, admin, { hash: '0000' })).status).toBe(409);
    expect((await house.ask('GET', '/v1/recipients/u99@acme.example', admin)).json).toMatchObject({
      action: 'accept',
    });

    const approved = await house.post(`/v1/runs/${run}/approve`, admin, { hash });
    expect(approved.status).toBe(200);
    expect(approved.json).toMatchObject({ state: 'applied', counts: { removed: 50 } });
    const gone = await house.ask('GET', '/v1/recipients/u99@acme.example', admin);
    expect(gone.json).toMatchObject({
      action: 'defer',
      reason: 'removed',
      recipient: 'u99@acme.example',
      claims: [],
    });

    expect((await house.post(`/v1/runs/${run}/approve`, admin, { hash })).status).toBe(409);
    const back = await house.post(`/v1/runs/${Number(approved.json['run'])}/rollback`, admin);
    expect(back.json).toMatchObject({ state: 'applied', counts: { added: 50 } });
    expect((await house.ask('GET', '/v1/recipients/u99@acme.example', admin)).json).toMatchObject({
      reason: 'known',
    });
  });

  it('is not approved when the plan has changed since', async () => {
    const { run, hash } = await heldRun();
    house.writeList('staff', people(40));
    expect((await house.post(sync, admin)).status).toBe(202);
    const answer = await house.post(`/v1/runs/${run}/approve`, admin, { hash });
    expect(answer.status).toBe(409);
    expect((await house.ask('GET', '/v1/recipients/u99@acme.example', admin)).json).toMatchObject({
      action: 'accept',
    });
  });

  it('is discarded', async () => {
    const { run, hash } = await heldRun();
    const answer = await house.post(`/v1/runs/${run}/discard`, admin);
    expect(answer).toMatchObject({ status: 200, json: { run, resolution: 'discarded' } });
    expect((await house.post(`/v1/runs/${run}/approve`, admin, { hash })).status).toBe(409);
  });
});

describe('the history', () => {
  it('comes in pages, newest first', async () => {
    for (let i = 0; i < 3; i++) await house.post(sync, admin);
    const first = await house.ask('GET', '/v1/runs?limit=2&source=staff', admin);
    expect(first.json['runs']).toMatchObject([{ run: 3 }, { run: 2 }]);
    const second = await house.ask('GET', `/v1/runs?limit=2&before=${String(first.json['next'])}`, admin);
    expect(second.json).toMatchObject({ runs: [{ run: 1, state: 'applied' }], next: null });
  });

  it.each(['/v1/runs?limit=x', '/v1/runs?page=2'])('%s is refused', async (path) => {
    expect((await house.ask('GET', path, admin)).status).toBe(400);
  });

  it.each(['/v1/runs/99', '/v1/runs/x', '/v1/runs/-1', '/v1/nothing'])('%s is 404', async (path) => {
    const answer = await house.ask('GET', path, admin);
    expect(answer).toMatchObject({ status: 404, json: { error: { code: 'not-found' } } });
  });
});

describe('a defect', () => {
  it('is told without a stack, and logged with the request id', async () => {
    house.beforeJob = () => Promise.reject(new TypeError('secret/path is undefined'));
    const answer = await house.post(sync, admin);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.json)).not.toMatch(/secret|at /);
    const id = answer.headers.get('x-request-id') ?? 'none';
    expect(house.logLines.some((line) => line.includes(id) && line.includes('secret/path'))).toBe(true);
  });
});
