/**
 * The guard: from a plan to a decision. Pure: no clock, no I/O, no state.
 *
 * Promises: never a removal on a doubt; over a limit, only the part that is over it is held, and the list keeps working;
 * a read that gave no address at all is refused, whatever the limits. Every decision that is not a plain "go" has reasons.
 */
import type { Decision, Plan, PlanPart } from '../store/store.js';

export interface GuardLimits {
  /** Removals are held when they are more than `floor` and more than `percent` of the claims in force. */
  readonly removals: {
    readonly percent: number;
    readonly floor: number;
    /** And when one domain loses more than `floor` and more than this percentage of its addresses. */
    readonly domainPercent: number;
  };
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
  /** What the plan takes away in each domain that loses anything, and how many addresses it had. */
  readonly domains: readonly DomainLoss[];
  /** Why removals have to wait whatever their number: sources in error that share the domains, a lost right to read. */
  readonly waits: readonly string[];
  /** Claims that reads of changes have taken away since everything was last read: they count together. */
  readonly removedSince: number;
}

export interface DomainLoss {
  readonly domain: string;
  /** Addresses now. */
  readonly before: number;
  /** Addresses that reads of changes have taken away since everything was last read: they count together. */
  readonly since: number;
  readonly lost: number;
  /** Addresses that are left. */
  readonly left: number;
}

/** How many claims of `current` are allowed to change under a percentage and a floor. */
export function allowance(current: number, percent: number, floor: number): number {
  return Math.max(floor, Math.floor((current * percent) / 100));
}

export function guard(input: GuardInput): Decision {
  const { plan, limits, doubts, wanted } = input;
  if (wanted === 0) return refuse([emptyReason(plan.current)]);
  const hold: PlanPart[] = [];
  const reasons: string[] = [];
  if (doubts.length > 0) {
    hold.push('removals');
    reasons.push(...doubts);
    const left = plan.removed + plan.denied;
    if (left > 0) reasons.push(`${left} removals left out: the read was not complete`);
  } else {
    const found = removalReasons(input);
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

function removalReasons({ plan, limits, domains, waits, removedSince }: GuardInput): string[] {
  const lost = plan.removed + plan.denied;
  return [
    ...domains.flatMap((domain) => domainReason(domain, limits.removals) ?? []),
    ...(countReason(plan, limits.removals, removedSince) ?? []),
    ...(lost > 0 ? waits : []),
  ];
}

type RemovalLimits = GuardLimits['removals'];

function domainReason(
  { domain, before, since, lost, left }: DomainLoss,
  limits: RemovalLimits,
): string[] | undefined {
  // one address may well leave a domain for good; two at once, and the domain empty, is a mishap until a person says no
  if (before > 1 && left <= 0) return [`no address in ${domain} is left of ${before}`];
  if (lost === 0 || lost + since <= allowance(before + since, limits.domainPercent, limits.floor))
    return undefined;
  const limit = `the limit for one domain is ${limits.domainPercent} %`;
  return [
    `${lost + since} of ${before + since} addresses in ${domain} would be removed${already(since)}; ${limit}`,
  ];
}

function countReason(plan: Plan, { percent, floor }: RemovalLimits, since: number): string[] | undefined {
  if (plan.removed + plan.denied === 0) return undefined;
  const lost = plan.removed + plan.denied + since;
  const had = plan.current + since;
  if (lost > allowance(had, percent, floor)) {
    const denied = plan.denied > 0 ? ` (${plan.denied} of them disabled or closed to outside senders)` : '';
    const limit = `the limit is ${percent} % (at least ${floor})`;
    return [`${lost} of ${had} claims would be removed${denied}${already(since)}; ${limit}`];
  }
  // below the floor a small list could vanish whole
  const isAll = plan.removed + since > 1 && plan.removed === plan.current;
  return isAll ? [`all ${had} claims would be removed`] : undefined;
}

function already(since: number): string {
  return since > 0 ? `, ${since} of them already gone by reads of changes` : '';
}

function growthReason(plan: Plan, limits: GuardLimits): string | undefined {
  if (plan.current === 0) return undefined;
  if (plan.added <= allowance(plan.current, limits.growthPercent, limits.removals.floor)) return undefined;
  return `${plan.added} claims would be added to ${plan.current}; the limit is ${limits.growthPercent} % (at least ${limits.removals.floor})`;
}

export interface ChangesGuardInput {
  readonly plan: Plan;
  readonly limits: GuardLimits;
  readonly domains: readonly DomainLoss[];
  readonly waits: readonly string[];
  /** Claims that reads of changes have taken away since everything was last read: they count together. */
  readonly removedSince: number;
  /** Canaries that the changes would take away. */
  readonly canaries: readonly string[];
}

/**
 * The same for a read of changes. Over a limit nothing is held: everything has to be read before anybody is asked
 * (`readAll`, with the reasons). Removals that only wait for another source are left out, and seen again by the next run.
 */
export function guardChanges(input: ChangesGuardInput): Decision | { readonly readAll: readonly string[] } {
  const { plan, limits, domains, waits, removedSince, canaries } = input;
  const growth = growthReason(plan, limits);
  const reasons = [
    ...domains.flatMap((domain) => domainReason(domain, limits.removals) ?? []),
    ...(countReason(plan, limits.removals, removedSince) ?? []),
    ...(growth === undefined ? [] : [growth]),
    ...canaries.map((canary) => `canary ${canary} would be removed`),
  ];
  if (reasons.length > 0) return { readAll: reasons };
  const waiting = plan.removed + plan.denied > 0 ? waits : [];
  return { go: true, hold: waiting.length > 0 ? ['removals'] : [], approvable: false, reasons: waiting };
}
