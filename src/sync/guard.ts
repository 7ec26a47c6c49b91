/**
 * The guard: from a plan to a decision. Pure: no clock, no I/O, no state.
 *
 * Promises: never a removal on a doubt; over a limit, only the part that is over it is held, and the list keeps working;
 * a read that gave no address at all is refused, whatever the limits. Every decision that is not a plain "go" has reasons.
 */
import type { Decision, Plan, PlanPart } from '../store/store.js';

export interface GuardLimits {
  /** Removals are held when they are more than `floor` and more than `percent` of the claims in force. */
  readonly removals: { readonly percent: number; readonly floor: number };
  /** Additions are held when they are more than `removals.floor` and more than this percentage of the claims in force. */
  readonly growthPercent: number;
}

export interface GuardInput {
  readonly plan: Plan;
  readonly limits: GuardLimits;
  /** Why the read is not proved complete; empty when it is. */
  readonly doubts: readonly string[];
  /** Addresses staged by this read. */
  readonly wanted: number;
}

/** How many claims of `current` are allowed to change under a percentage and a floor. */
export function allowance(current: number, percent: number, floor: number): number {
  return Math.max(floor, Math.floor((current * percent) / 100));
}

export function guard({ plan, limits, doubts, wanted }: GuardInput): Decision {
  if (wanted === 0) return refuse([emptyReason(plan.current)]);
  const hold: PlanPart[] = [];
  const reasons: string[] = [];
  if (doubts.length > 0) {
    hold.push('removals');
    reasons.push(...doubts);
    if (plan.removed > 0) reasons.push(`${plan.removed} removals left out: the read was not complete`);
  } else {
    const reason = removalReason(plan, limits);
    if (reason !== undefined) {
      hold.push('removals');
      reasons.push(reason);
    }
  }
  const growth = growthReason(plan, limits);
  if (growth !== undefined) {
    hold.push('additions');
    reasons.push(growth);
  }
  return { go: true, hold, approvable: doubts.length === 0, reasons };
}

function refuse(reasons: readonly string[]): Decision {
  return { go: false, hold: [], approvable: false, reasons };
}

function emptyReason(current: number): string {
  const kept = current > 0 ? `; the ${current} claims in force stay` : '';
  return `the source gave no usable address in a domain of this tenant${kept}`;
}

function removalReason(plan: Plan, limits: GuardLimits): string | undefined {
  const { percent, floor } = limits.removals;
  if (plan.removed > allowance(plan.current, percent, floor)) {
    return `${plan.removed} of ${plan.current} claims would be removed; the limit is ${percent} % (at least ${floor})`;
  }
  // below the floor a small list could vanish whole
  if (plan.removed > 1 && plan.removed === plan.current) return `all ${plan.current} claims would be removed`;
  return undefined;
}

function growthReason(plan: Plan, limits: GuardLimits): string | undefined {
  if (plan.current === 0) return undefined;
  if (plan.added <= allowance(plan.current, limits.growthPercent, limits.removals.floor)) return undefined;
  return `${plan.added} claims would be added to ${plan.current}; the limit is ${limits.growthPercent} % (at least ${limits.removals.floor})`;
}
