/** The file of answers: bounded, shared with readers, and never in the way. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachePath } from '../../src/callahead/cache.js';
import { readFigures } from '../../src/callahead/figures.js';
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
    const cache = openTestCache(folder, { maxKnown: 1000, maxUnknown: 1000, now: () => 10_000 });
    for (let i = 0; i < 100; i += 1) cache.put('s', 'd', `known${i}`, { known: true, at: i });
    for (let i = 0; i < 5000; i += 1) cache.put('s', 'd', `unknown${i}`, { known: false, at: 1000 + i });
    cache.close();
    const db = new Database(cachePath(folder), { readonly: true });
    const count = (known: number) =>
      db.prepare('SELECT count(*) FROM entry WHERE known = ?').pluck().get(known);
    expect(count(1)).toBe(100);
    expect(count(0)).toBe(1000);
    db.close();
  });

  test('is bounded for each source apart, and whoever had been known goes last', () => {
    const cache = openTestCache(folder, { maxUnknown: 10, now: () => 10_000 });
    for (let i = 0; i < 5; i += 1) cache.put('a', 'd', `gone${i}`, { known: false, at: i, knownUntil: i });
    for (let i = 0; i < 100; i += 1) cache.put('a', 'd', `never${i}`, { known: false, at: 100 + i });
    cache.put('b', 'd', 'other', { known: false, at: 1 });
    for (let i = 0; i < 5; i += 1) expect(cache.find('a', `gone${i}`)).toMatchObject({ knownUntil: i });
    expect(cache.find('a', 'never0')).toBeUndefined();
    expect(cache.find('a', 'never99')).toBeDefined();
    expect(cache.find('b', 'other')).toBeDefined();
    cache.close();
  });

  test('counts what it keeps', () => {
    const cache = openTestCache(folder, { maxUnknown: 3, now: () => 10_000 });
    for (let i = 0; i < 9; i += 1) cache.put('a x', 'd', `u${i}`, { known: false, at: i });
    cache.put('a x', 'd', 'ada', { known: true, at: 1 });
    cache.put('a x', 'd', 'ada', { known: true, at: 2 });
    cache.put('a x', 'd', 'u8', { known: true, at: 20 });
    cache.close();
    expect(readFigures(cachePath(folder)).kept).toEqual([
      { source: 'a', answer: 'known', count: 2 },
      { source: 'a', answer: 'unknown', count: 2 },
    ]);
  });

  test('forgets what is very old, and servers of domains without end', () => {
    const clock = { now: 0 };
    const cache = openTestCache(folder, { keepMs: 1000, now: () => clock.now });
    for (let i = 0; i < 100; i += 1) cache.put('a', 'd', `old${i}`, { known: true, at: 0 });
    clock.now = 2000;
    for (let i = 0; i < 1000; i += 1) cache.put('a', 'd', `new${i}`, { known: true, at: 2000 });
    expect(cache.find('a', 'old0')).toBeUndefined();
    for (let i = 0; i < 11_000; i += 1) cache.putStanding('a', 'h', `d${i}`, { blind: false, triedAt: i });
    cache.close();
    const db = new Database(cachePath(folder), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM standing').pluck().get()).toBeLessThanOrEqual(10_500);
    db.close();
  });

  test('is there before the first question', () => {
    const cache = openTestCache(folder);
    expect(existsSync(cachePath(folder))).toBe(false);
    cache.prepare();
    expect(existsSync(cachePath(folder))).toBe(true);
    cache.close();
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
