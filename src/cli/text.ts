/**
 * How things are written for people: numbers, times, addresses, tables.
 *
 * Promises that nothing out of a directory or a list reaches the terminal as a control character.
 */
import Table from 'cli-table3';
import { displayDomain } from '../address/domain.js';

/** Text that may come from anywhere, with control characters shown as `?`. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}

export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** `3 removals`, `1 removal`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A duration in its largest unit: `2 h`, `3 min`. */
export function span(ms: number): string {
  for (const [unit, size] of units) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  return '0 s';
}

/** `2 h ago`, `in 3 min`, `just now`. */
export function ago(at: number, now: number): string {
  const past = now - at;
  if (Math.abs(past) < 1000) return 'just now';
  return past > 0 ? `${span(past)} ago` : `in ${span(-past)}`;
}

/** `2026-01-31 09:05 UTC`. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** An address as people read it: its domain with U-labels. */
export function showKey(key: string): string {
  const at = key.lastIndexOf('@');
  return clean(at < 0 ? key : `${key.slice(0, at + 1)}${displayDomain(key.slice(at + 1))}`);
}

const none = '';
const noBorders = {
  top: none,
  'top-mid': none,
  'top-left': none,
  'top-right': none,
  bottom: none,
  'bottom-mid': none,
  'bottom-left': none,
  'bottom-right': none,
  left: none,
  'left-mid': none,
  mid: none,
  'mid-mid': none,
  right: none,
  'right-mid': none,
  middle: '  ',
};

export type Cell = string | number;

/** Columns without lines; numbers stand to the right. Ends without a newline. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], indent = ''): string {
  const isNumber = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const grid = new Table({
    head: [...head],
    chars: noBorders,
    colAligns: isNumber.map((right) => (right ? 'right' : 'left')),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows)
    grid.push(row.map((cell) => (typeof cell === 'number' ? count(cell) : clean(cell))));
  return grid
    .toString()
    .split('\n')
    .map((line) => `${indent}${line.trimEnd()}`)
    .join('\n');
}

export function indent(lines: readonly string[], by = '  '): string[] {
  return lines.map((line) => `${by}${line}`);
}
