/**
 * Progress of long work: one line on standard error, and only when that is a terminal.
 */
import type { Progress } from '../sync/request.js';
import { count } from './text.js';

export interface ProgressLine {
  readonly report: Progress;
  /** Takes the line away. */
  done(): void;
}

const everyMs = 100;
const words = {
  reading: 'Reading',
  comparing: 'Comparing',
  applying: 'Applying',
  publishing: 'Publishing',
} as const;

export function progressLine(stream: NodeJS.WriteStream, now: () => number = Date.now): ProgressLine {
  if (!stream.isTTY) return { report: () => undefined, done: () => undefined };
  let phase = '';
  let phaseStart = 0;
  let shownAt = -Infinity;
  let shown = false;
  const report: Progress = (current, done, total) => {
    const at = now();
    if (current !== phase) {
      phase = current;
      phaseStart = at;
    } else if (at - shownAt < everyMs) return;
    shownAt = at;
    shown = true;
    const line = progressText(words[current], done, total, at - phaseStart);
    stream.write(`\r${line.slice(0, Math.max(20, stream.columns - 1))}\x1b[K`);
  };
  return {
    report,
    done: () => {
      if (shown) stream.write('\r\x1b[K');
    },
  };
}

/** `Reading 120,000 of 1,000,000 (12 %), 48,000/s`. */
export function progressText(
  word: string,
  done: number,
  total: number | undefined,
  elapsedMs: number,
): string {
  if (done === 0) return `${word} …`;
  const of =
    total === undefined || total === 0 ? '' : ` of ${count(total)} (${Math.floor((done * 100) / total)} %)`;
  const rate = elapsedMs < 500 ? '' : `, ${count(Math.round((done * 1000) / elapsedMs))}/s`;
  return `${word} ${count(done)}${of}${rate}`;
}
