/**
 * Addresses and lists to measure with: always the same ones, in an order that no index likes.
 */

import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progress } from './measure.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(root, '.cache/bench');

export const domain = 'bench.example';
const given = [
  'anna',
  'bernd',
  'chiara',
  'dmitri',
  'elif',
  'farid',
  'greta',
  'hiro',
  'ines',
  'jonas',
  'karim',
];
const family = ['abendroth', 'bianchi', 'costa', 'dubois', 'eriksen', 'fischer', 'garcia', 'horvat', 'ito'];

/** The i-th address, about 35 characters; those from `rows` on are in no list of `rows` rows. */
export function address(i, at = domain) {
  return `${given[i % given.length]}.${family[i % family.length]}.${i.toString(36)}@${at}`;
}

/** Visits 0…count-1 once each, scattered: a multiplication by a prime modulo a power of two, what is too big skipped. */
export function* scattered(count) {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, count)));
  for (let i = 0; i < size; i++) {
    const value = Number((BigInt(i) * 2654435761n) % BigInt(size));
    if (value < count) yield value;
  }
}

/** `count` questions for a list of `rows`: every second one unknown. */
export function questions(count, rows) {
  const step = 7_919;
  return Array.from({ length: count }, (_, i) => address(((i * step) % rows) + (i % 2) * rows));
}

export const isKnown = (index) => index % 2 === 0;

/** A CSV list of `rows` addresses, `except` (a set of row numbers) left out; kept in .cache/bench. */
export async function csvList(
  rows,
  { at = domain, name = `list-${at}-${rows}`, skipEvery = 0, extra = 0 } = {},
) {
  const file = join(cache, `${name}.csv`);
  if (existsSync(file)) return file;
  progress(`writing ${rows} rows to ${file}`);
  mkdirSync(cache, { recursive: true });
  const out = createWriteStream(`${file}.new`);
  out.write('email,name\n');
  let chunk = '';
  const put = async (i) => {
    chunk += `${address(i, at)},Person ${i}\n`;
    if (chunk.length < 65_536) return;
    if (!out.write(chunk)) await once(out, 'drain');
    chunk = '';
  };
  for (const i of scattered(rows)) if (skipEvery === 0 || i % skipEvery !== 0) await put(i);
  for (let i = 0; i < extra; i++) await put(2 * rows + i);
  out.end(chunk);
  await once(out, 'finish');
  renameSync(`${file}.new`, file);
  return file;
}

/** A folder of this benchmark's own, removed when the process ends. */
export function workFolder() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'run-'));
  // servers that give up root for a user of their own have to get in
  chmodSync(folder, 0o755);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
