/**
 * What a check that spans sections found.
 */
import type { Path } from './json.js';

export interface CheckFinding {
  readonly level: 'error' | 'warning';
  readonly path: Path;
  readonly message: string;
  /** Whether the value at the path helps to see what is wrong. */
  readonly showValue?: boolean;
}

export function error(path: Path, message: string): CheckFinding {
  return { level: 'error', path, message, showValue: true };
}

export function warning(path: Path, message: string): CheckFinding {
  return { level: 'warning', path, message };
}
