/** The file the edges read: lost or damaged in every way, it is built anew, and nobody is wrongly refused meanwhile. */
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { RunningProcess } from '../support/rollcall.js';
import { createCsvHouse, type CsvHouse } from './csv-house.js';
import { askOnce, connectPolicy } from './policy-client.js';

const people = 3000;

describe('lookup.db', () => {
  let house: CsvHouse;
  let serve: RunningProcess;
  let port: number;
  let file: string;

  beforeAll(async () => {
    house = createCsvHouse();
    house.writeList(people);
    serve = await house.start('serve');
    port = serve.port('policy');
    file = join(house.dataDir, 'lookup.db');
    await eventually(
      () => askOnce(port, 'p3@example.com'),
      (answer) => answer === 'DUNNO',
    );
  });
  afterAll(() => house.remove());

  /** Asks for known people, all over the file, until `done`; returns every answer but the accepts. */
  async function askWhile(done: () => boolean): Promise<string[]> {
    const client = await connectPolicy(port);
    const others: string[] = [];
    for (let index = 0; !done(); index = (index + 37) % people) {
      const answer = await client.ask(`p${index}@example.com`);
      if (answer !== 'DUNNO') others.push(answer);
    }
    client.close();
    return others;
  }

  function overwrite(from: number, length: number): void {
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, from);
    closeSync(fd);
  }

  /** Does the damage; asks until the file is another one; then everything is as before. */
  async function survives(damage: () => void): Promise<void> {
    const before = identity(file);
    damage();
    const deadline = Date.now() + 20_000;
    const isAnew = (): boolean => existsSync(file) && identity(file) !== before;
    const others = await askWhile(() => isAnew() || Date.now() > deadline);
    expect(isAnew()).toBe(true);
    expect(others.filter((answer) => !answer.startsWith('451 4.4.3'))).toEqual([]);
    await eventually(
      async () => [await askOnce(port, 'p7@example.com'), await askOnce(port, 'nobody@example.com')],
      ([known, unknown]) => known === 'DUNNO' && unknown?.startsWith('550 5.1.1') === true,
    );
  }

  // first, while the edge has read next to nothing: what it has read once it answers from memory
  it('is built anew when garbage stands in the middle of it', () =>
    survives(() => overwrite(8 * 4096, statSync(file).size - 8 * 4096)));

  it('is built anew when it is deleted', () =>
    survives(() => ['', '-wal', '-shm'].forEach((s) => rmSync(file + s))));

  it('is built anew when its header is garbage', () => survives(() => overwrite(0, 100)));

  it('is built anew at the start of control when it was damaged meanwhile', async () => {
    await serve.stop();
    overwrite(8 * 4096, 4096);
    serve = await house.start('serve');
    port = serve.port('policy');
    await eventually(
      () => serve.log(),
      (log) => log.includes('built anew') || log.includes('"how":"rebuilt"'),
    );
    let asked = 0;
    const others = await askWhile(() => ++asked > people);
    expect(others.filter((answer) => !answer.startsWith('451 4.4.3'))).toEqual([]);
  });
});

/** A deleted file's inode number is given to the next file, so the number alone tells nothing. */
function identity(path: string): string {
  const { ino, birthtimeMs } = statSync(path);
  return `${ino} ${birthtimeMs}`;
}
