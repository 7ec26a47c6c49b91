/** What doctor finds: what it is, why it matters, how to mend it. */

export type Level = 'ok' | 'warn' | 'error';

export interface Finding {
  readonly level: Level;
  /** What was looked at: `source staff`, `domain example.com`. */
  readonly about: string;
  readonly what: string;
  /** Why it matters; empty when all is well. */
  readonly why: string;
  /** How to mend it; empty when all is well. */
  readonly mend: string;
}

export function ok(about: string, what: string): Finding {
  return { level: 'ok', about, what, why: '', mend: '' };
}

export function warn(about: string, what: string, why: string, mend: string): Finding {
  return { level: 'warn', about, what, why, mend };
}

export function error(about: string, what: string, why: string, mend: string): Finding {
  return { level: 'error', about, what, why, mend };
}
