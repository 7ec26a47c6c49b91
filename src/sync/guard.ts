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
  /** Domains in which the last complete read named addresses, and this one none. */
  readonly collapsed: readonly { readonly domain: string; readonly before: number }[];
}

/** How many claims of `current` are allowed to change under a percentage and a floor. */
export function allowance(current: number, percent: number, floor: number): number {
  return Math.max(floor, Math.floor((current * percent) / 100));
}

export function guard({ plan, limits, doubts, wanted, collapsed }: GuardInput): Decision {
  if (wanted === 0) return refuse([emptyReason(plan.current)]);
  const hold: PlanPart[] = [];
  const reasons: string[] = [];
  if (doubts.length > 0) {
    hold.push('removals');
    reasons.push(...doubts);
    const left = plan.removed + plan.denied;
    if (left > 0) reasons.push(`${left} removals left out: the read was not complete`);
  } else {
    const found = removalReasons(plan, limits, collapsed);
    if (found.length > 0) hold.push('removals');
    reasons.push(...found);
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

function removalReasons(plan: Plan, limits: GuardLimits, collapsed: GuardInput['collapsed']): string[] {
  const { percent, floor } = limits.removals;
  const lost = plan.removed + plan.denied;
  const reasons = collapsed.map(({ domain, before }) => `no address in ${domain} is left of ${before}`);
  if (lost > allowance(plan.current, percent, floor)) {
    const denied = plan.denied > 0 ? ` (${plan.denied} of them disabled or closed to outside senders)` : '';
    const limit = `the limit is ${percent} % (at least ${floor})`;
    reasons.push(`${lost} of ${plan.current} claims would be removed${denied}; ${limit}`);
  } else if (plan.removed > 1 && plan.removed === plan.current) {
    // below the floor a small list could vanish whole
    reasons.push(`all ${plan.current} claims would be removed`);
  }
  return reasons;
}

function growthReason(plan: Plan, limits: GuardLimits): string | undefined {
  if (plan.current === 0) return undefined;
  if (plan.added <= allowance(plan.current, limits.growthPercent, limits.removals.floor)) return undefined;
  return `${plan.added} claims would be added to ${plan.current}; the limit is ${limits.growthPercent} % (at least ${limits.removals.floor})`;
}
