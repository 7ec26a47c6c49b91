import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import { HttpHouse, people } from './http-house.js';

async function withHouse(house: HttpHouse, work: (house: HttpHouse) => Promise<void>): Promise<void> {
  try {
    await work(house);
  } finally {
    await house.close();
  }
}

function getOverSocket(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const ask = request({ socketPath, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    ask.once('error', reject);
    ask.end();
  });
}

describe('the HTTP server', () => {
  it('says what stands in the way of listening', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const house = new HttpHouse({ listen: [{ host: '127.0.0.1', port }] });
    await withHouse(house, async () => {
      const refusal = await house.start().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(RollcallError);
      expect(refusal).toMatchObject({
        code: 'config',
        message: expect.stringContaining(`port ${port}`) as string,
      });
    });
    other.close();
  });

  it('answers on several addresses, a unix socket among them, and leaves no socket behind', async () => {
    const path = join('/tmp', `rollcall-http-${process.pid}.sock`);
    const house = new HttpHouse({ listen: [{ host: '127.0.0.1', port: 0 }, { path }] });
    await withHouse(house, async () => {
      await house.start();
      expect((await house.ask('GET', '/healthz')).status).toBe(200);
      expect(await getOverSocket(path, '/metrics')).toBe(200);
    });
    expect(existsSync(path)).toBe(false);
  });

  it('lets a request under way end when it is closed', async () => {
    const house = new HttpHouse();
    await withHouse(house, async () => {
      await house.start();
      let begun = (): void => {};
      let goOn = (): void => {};
      const started = new Promise<void>((resolve) => (begun = resolve));
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      house.beforeJob = () => {
        begun();
        return gate;
      };
      const answer = house.put('/v1/sources/staff/list', house.token('upload'), people(3));
      await started;
      const closed = house.stop();
      goOn();
      expect((await answer).status).toBe(200);
      await closed;
    });
  });

  it('answers 503 while the directory cannot be opened, and recovers', async () => {
    const house = new HttpHouse();
    await withHouse(house, async () => {
      await house.start();
      const token = house.token('read');
      renameSync(house.directoryFile, `${house.directoryFile}.away`);
      expect(await house.ask('GET', '/v1/runs', token)).toMatchObject({
        status: 503,
        json: { error: { code: 'store' } },
      });
      renameSync(`${house.directoryFile}.away`, house.directoryFile);
      expect((await house.ask('GET', '/v1/runs', token)).status).toBe(200);
    });
  });
});
