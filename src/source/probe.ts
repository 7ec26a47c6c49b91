/**
 * What trying a source out has shown: for `rollcall source test`. A value for people and scripts; nothing is kept of it.
 *
 * Addresses and names in it are shown to whoever may run commands here. Never holds a secret.
 */
import type { Entry } from './source.js';

export interface ProbeFinding {
  /** `ok`: proved to work; `warn`: works, with a drawback; `error`: a run would fail, or remove nothing. */
  readonly level: 'ok' | 'warn' | 'error';
  readonly what: string;
  /** Why it matters; empty when all is well. */
  readonly why: string;
  /** How to mend it; empty when all is well. */
  readonly mend: string;
}

export interface ProbeFact {
  /** `server`, `bound as`, `TLS`: a word or two in lower case. */
  readonly name: string;
  readonly value: string;
}

export interface ProbeEstimate {
  /** Entries of the whole list. */
  readonly entries: number;
  /** How it is known: `counted`, or out of what it was worked out; goes after "about 3,000 entries, ". */
  readonly from: string;
  readonly exact: boolean;
  /** Seconds that reading all of it would take; undefined when that cannot be told. */
  readonly seconds?: number | undefined;
}

export interface ProbeReport {
  readonly facts: readonly ProbeFact[];
  /** At most ten entries, with their addresses and the attributes these stand in. */
  readonly sample: readonly Entry[];
  readonly estimate?: ProbeEstimate | undefined;
  readonly findings: readonly ProbeFinding[];
}

export const probeSampleSize = 10;

export function well(what: string): ProbeFinding {
  return { level: 'ok', what, why: '', mend: '' };
}

export function drawback(what: string, why: string, mend: string): ProbeFinding {
  return { level: 'warn', what, why, mend };
}

export function wrong(what: string, why: string, mend: string): ProbeFinding {
  return { level: 'error', what, why, mend };
}
