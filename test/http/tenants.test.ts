import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDirectory, directoryPath } from '../../src/store/sqlite/open.js';
import { listTokens, revokeToken } from '../../src/store/sqlite/tokens.js';
import { HttpHouse, people } from './http-house.js';

let house: HttpHouse;

beforeEach(async () => {
  house = await new HttpHouse().start();
});
afterEach(() => house.close());

describe('without a known token', () => {
  it.each([undefined, 'rollcall_wrong', 'x'.repeat(5000)])('%s: 401 with a challenge', async (token) => {
    const answer = await house.ask('GET', '/v1/runs', token);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="rollcall"/);
    expect(answer.json).toMatchObject({ error: { code: 'unauthorized' } });
  });

  it('a list is refused before it is read', async () => {
    expect((await house.put('/v1/sources/staff/list', 'wrong', people(3))).status).toBe(401);
    expect(house.spooled()).toEqual([]);
  });

  it('a revoked token is worthless at once', async () => {
    const token = house.token('read');
    expect((await house.ask('GET', '/v1/runs', token)).status).toBe(200);
    const db = openDirectory(directoryPath(house.config.dataDir));
    const [record] = listTokens(db);
    revokeToken(db, { tenant: 'acme', name: record?.name ?? '', actor: 'test', now: Date.now() });
    db.close();
    expect((await house.ask('GET', '/v1/runs', token)).status).toBe(401);
  });
});

describe('roles', () => {
  it.each([
    ['read', 'POST', '/v1/sources/staff/sync'],
    ['read', 'PUT', '/v1/sources/staff/list'],
    ['read', 'POST', '/v1/runs/1/rollback'],
    ['upload', 'POST', '/v1/runs/1/approve'],
    ['upload', 'POST', '/v1/runs/1/discard'],
  ] as const)('%s may not %s %s', async (role, method, path) => {
    const answer = await house.ask(method, path, house.token(role));
    expect(answer).toMatchObject({ status: 403, json: { error: { code: 'unauthorized' } } });
  });

  it('upload may sync, upload and read', async () => {
    const token = house.token('upload');
    expect((await house.post('/v1/sources/staff/sync', token)).status).toBe(200);
    expect((await house.ask('GET', '/v1/runs/1', token)).status).toBe(200);
  });
});

describe('a token of another tenant', () => {
  it('finds neither source nor run, and touches nothing', async () => {
    await house.post('/v1/sources/staff/sync', house.token('admin'));
    const other = house.token('admin', 'other');
    expect((await house.post('/v1/sources/staff/sync', other)).status).toBe(404);
    expect((await house.put('/v1/sources/staff/list', other, people(1))).status).toBe(404);
    expect((await house.ask('GET', '/v1/runs/1', other)).status).toBe(404);
    for (const action of ['approve', 'discard', 'rollback'])
      expect((await house.post(`/v1/runs/1/${action}`, other, { hash: 'x' })).status).toBe(404);
    expect((await house.ask('GET', '/v1/runs', other)).json).toEqual({ runs: [], next: null });
    const own = await house.ask('GET', '/v1/recipients/u1@acme.example', house.token('read'));
    expect(own.json).toMatchObject({ reason: 'known', generation: 1 });
  });

  it('gets the same answer for the other’s domain as for one that nobody here serves', async () => {
    await house.post('/v1/sources/staff/sync', house.token('admin'));
    const other = house.token('read', 'other');
    const theirs = await house.ask('GET', '/v1/recipients/u1@acme.example', other);
    const nobodys = await house.ask('GET', '/v1/recipients/u1@nobody.example', other);
    expect(theirs.status).toBe(nobodys.status);
    expect({ ...theirs.json, address: '' }).toEqual({ ...nobodys.json, address: '' });
    expect(theirs.json).toMatchObject({ action: 'reject', reason: 'not-our-domain', code: 550, claims: [] });
  });

  it('cannot make another tenant’s addresses known', async () => {
    const answer = await house.put('/v1/sources/theirs/list', house.token('upload', 'other'), people(3));
    expect(answer.status).toBe(422);
  });
});

describe('health', () => {
  it('lives without a token, and is ready when every domain is fresh', async () => {
    expect((await house.ask('GET', '/healthz')).status).toBe(200);
    const before = await house.ask('GET', '/readyz');
    expect(before.status).toBe(503);
    expect(before.json).toMatchObject({
      ready: false,
      reasons: ['acme.example: never-synced', 'other.example: never-synced'],
    });
    await house.post('/v1/sources/staff/sync', house.token('admin'));
    await house.post('/v1/sources/theirs/sync', house.token('admin', 'other'));
    expect(await house.ask('GET', '/readyz')).toMatchObject({
      status: 200,
      json: { ready: true, reasons: [] },
    });
  });

  it('tells a token, and a caller from elsewhere, nothing of other tenants', async () => {
    const asAcme = await house.ask('GET', '/readyz', house.token('read'));
    expect(asAcme.json['domains']).toMatchObject([{ domain: 'acme.example' }]);
    const headers = { 'x-forwarded-for': '198.51.100.7' };
    const asStranger = await house.ask('GET', '/readyz', undefined, { headers });
    expect(asStranger).toMatchObject({ status: 503, json: { ready: false, domains: [], reasons: [] } });
  });

  it('gives metrics to this machine without a token; to others with one of the only tenant', async () => {
    const local = await house.ask('GET', '/metrics');
    expect(local.status).toBe(200);
    expect(local.headers.get('content-type')).toContain('version=0.0.4');
    const headers = { 'x-forwarded-for': '198.51.100.7' };
    expect((await house.ask('GET', '/metrics', undefined, { headers })).status).toBe(401);
    expect((await house.ask('GET', '/metrics', house.token('admin'), { headers })).status).toBe(403);
  });
});

describe('the log', () => {
  it('has routes and ids, and neither tokens nor addresses', async () => {
    const token = house.token('read');
    const answer = await house.ask('GET', '/v1/recipients/u1@acme.example?from=a@b.example', token);
    const log = house.logLines.join('');
    expect(log).toContain(answer.headers.get('x-request-id'));
    expect(log).toContain('/v1/recipients/:address');
    expect(log).not.toContain(token);
    expect(log).not.toContain('u1@acme');
    expect(log).not.toContain('a@b.example');
  });
});
