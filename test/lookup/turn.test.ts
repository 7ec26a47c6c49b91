/** Reads of one turn share a transaction, which nobody else notices. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReadTurn } from '../../src/lookup/turn.js';

let folder: string;
let writer: Database.Database;
let reader: Database.Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-turn-'));
  const path = join(folder, 'x.db');
  writer = new Database(path, { timeout: 100 });
  writer.pragma('journal_mode = WAL');
  writer.exec('CREATE TABLE t (n); INSERT INTO t VALUES (0)');
  reader = new Database(path, { readonly: true });
});
afterEach(() => {
  reader.close();
  writer.close();
  rmSync(folder, { recursive: true, force: true });
});

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a turn of reads', () => {
  it('sees one state, and the next turn sees what was written meanwhile', async () => {
    const turn = createReadTurn(reader);
    const read = () => {
      turn.enter();
      return reader.prepare<[], number>('SELECT max(n) FROM t').pluck().get();
    };
    expect([read(), read()]).toEqual([0, 0]);
    writer.exec('INSERT INTO t VALUES (1)'); // no wait, no error
    expect(read()).toBe(0);
    await nextTurn();
    expect(reader.inTransaction).toBe(false);
    expect(read()).toBe(1);
  });

  it('of one read opens no transaction', () => {
    createReadTurn(reader).enter();
    expect(reader.inTransaction).toBe(false);
  });

  it('ends when it is told to, and outlives its connection', async () => {
    const turn = createReadTurn(reader);
    turn.enter();
    turn.enter();
    expect(reader.inTransaction).toBe(true);
    turn.end();
    expect(reader.inTransaction).toBe(false);
    turn.enter();
    turn.enter();
    reader.close();
    await nextTurn();
    turn.end();
  });
});
