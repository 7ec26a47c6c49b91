/**
 * What doctor can find in the configuration of a mail server: each with a name of its own, how bad it is, why it matters and
 * how to mend it. docs/doctor.md has the same list, and a test holds the two together.
 *
 * `error`: mail for nobody is accepted, or somebody who exists is refused. `warn`: it may be meant.
 */
import type { Finding, Level } from '../finding.js';
import { eximFaults } from './catalogue-exim.js';
import { harakaFaults } from './catalogue-haraka.js';
import { postfixFaults } from './catalogue-postfix.js';

export const faults = { ...postfixFaults, ...eximFaults, ...harakaFaults };

export type FaultId = keyof typeof faults;

/** A finding of a mail server's configuration; `id` is undefined when all is well. */
export interface MtaFinding extends Finding {
  readonly id?: FaultId;
}

/** `about`: file and line, or parameter. `level`: where it is less bad than usual. */
export function fault(id: FaultId, about: string, what: string, level?: Level): MtaFinding {
  const { why, mend } = faults[id];
  return { id, level: level ?? faults[id].level, about, what, why, mend };
}

/** Each once, the worst first. */
export function arranged(findings: readonly MtaFinding[]): MtaFinding[] {
  const order: Readonly<Record<Level, number>> = { error: 0, warn: 1, ok: 2 };
  const unique = new Map(findings.map((finding) => [`${finding.about}\n${finding.what}`, finding]));
  return [...unique.values()].sort((a, b) => order[a.level] - order[b.level]);
}
