/**
 * The split of a plan: which rows of the diff a decision lets through, and which it holds. Pure.
 *
 * op: + added, ~ changed, ! changed so that mail is refused, - removed, = moved to another object.
 */
import type { Decision, Plan } from '../store.js';

export type Op = '+' | '~' | '!' | '-' | '=';

export interface Split {
  readonly ops: readonly Op[];
  readonly heldOps: readonly Op[];
  readonly applied: number;
  readonly held: number;
}

/**
 * `proved`: the read was complete, or a person has approved. A move takes a claim away and relies on the claim that takes
 * its place: it goes only with proof, and never while additions are held, because that claim may be among them.
 */
export function splitPlan(plan: Plan, decision: Decision, proved: boolean): Split {
  const count: Record<Op, number> = {
    '+': plan.added,
    '~': plan.changed,
    '!': plan.denied,
    '-': plan.removed,
    '=': plan.moved,
  };
  const additions: Op[] = ['+'];
  const removals: Op[] = ['!', '-'];
  const held: Op[] = [
    ...(decision.hold.includes('additions') ? additions : []),
    ...(decision.hold.includes('removals') ? removals : []),
  ];
  const mayMove = proved && !held.includes('+');
  const all: Op[] = ['+', '~', '!', '-', ...(mayMove ? (['='] as const) : [])];
  const ops = all.filter((op) => !held.includes(op));
  const sum = (list: readonly Op[]): number => list.reduce((n, op) => n + count[op], 0);
  return { ops, heldOps: held.filter((op) => count[op] > 0), applied: sum(ops), held: sum(held) };
}
