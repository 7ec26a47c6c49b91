/** The file of answers: bounded, shared with readers, and never in the way. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachePath } from '../../src/callahead/cache.js';
import { openTestCache } from './house.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-cache-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the cache', () => {
  test('is bounded, and unknown recipients do not push out known ones', () => {
    const cache = openTestCache(folder, { maxKnown: 1000, maxUnknown: 1000 });
    for (let i = 0; i < 100; i += 1) cache.put('s', 'd', `known${i}`, { known: true, at: i });
    for (let i = 0; i < 5000; i += 1) cache.put('s', 'd', `unknown${i}`, { known: false, at: 1000 + i });
    cache.close();
    const db = new Database(cachePath(folder), { readonly: true });
    const count = (known: number) =>
      db.prepare('SELECT count(*) FROM entry WHERE known = ?').pluck().get(known);
    expect(count(1)).toBe(100);
    expect(count(0)).toBeLessThanOrEqual(1500);
    db.close();
  });

  test('is read by others, who keep what they learn to themselves', () => {
    const edge = openTestCache(folder);
    const control = openTestCache(folder, { write: false });
    expect(control.find('s', 'ada')).toBeUndefined();
    edge.put('s', 'd', 'ada', { known: true, at: 1 });
    expect(control.find('s', 'ada')).toEqual({ known: true, at: 1, knownUntil: undefined });
    control.put('s', 'd', 'eve', { known: false, at: 2 });
    expect(control.find('s', 'eve')).toMatchObject({ known: false });
    expect(edge.find('s', 'eve')).toBeUndefined();
    edge.close();
    control.close();
  });

  test('lives in memory while the disk refuses', () => {
    mkdirSync(cachePath(folder));
    const cache = openTestCache(folder);
    cache.put('s', 'd', 'ada', { known: true, at: 1 });
    cache.count('s', 'known');
    expect(cache.find('s', 'ada')).toMatchObject({ known: true });
    cache.close();
  });

  test.each([
    ['is no database', () => writeFileSync(cachePath(folder), 'no database')],
    [
      'is of another version',
      () => {
        const db = new Database(cachePath(folder));
        db.exec('CREATE TABLE entry (x)');
        db.pragma('user_version = 99');
        db.close();
      },
    ],
    ['is empty', () => writeFileSync(cachePath(folder), '')],
    [
      'cannot be read',
      () => {
        writeFileSync(cachePath(folder), '');
        chmodSync(cachePath(folder), 0);
      },
    ],
  ])('begins anew, or goes on without it, when the file %s', (_, spoil) => {
    spoil();
    const cache = openTestCache(folder);
    cache.put('s', 'd', 'ada', { known: true, at: 1 });
    expect(cache.find('s', 'ada')).toMatchObject({ known: true });
    cache.close();
  });
});
