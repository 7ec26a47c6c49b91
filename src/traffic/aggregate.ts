/**
 * One interval's traffic in memory. Bounded: over a limit an event is not kept and `add` says so. What cannot overflow
 * the count of an event is decided first, so that a flood of unknown recipients costs rows of the ring, never counts.
 */
import { hourMs, type CountRow, type RejectionRow, type TrafficBatch, type TrafficEvent } from './event.js';

export interface AggregateLimits {
  /** Distinct (tenant, domain, reason, action, edge, hour). */
  readonly counts: number;
  /** Distinct (tenant, key). */
  readonly accepted: number;
  readonly rejections: number;
}

export interface Aggregate {
  /** How many pieces of the event could not be kept: 0, 1 or 2. */
  add(event: TrafficEvent): number;
  /** Everything kept, and starts anew; undefined when there is nothing. */
  take(): TrafficBatch | undefined;
}

/** Longer than any address of a real message; what a client sends is cut to this. */
const maxText = 512;

export function createAggregate(limits: AggregateLimits): Aggregate {
  let counts = new Map<string, CountRow>();
  let accepted = new Map<string, Map<string, number>>();
  let acceptedSize = 0;
  let rejections: RejectionRow[] = [];

  function add(event: TrafficEvent): number {
    const refused = event.action !== 'accept' || event.observed;
    const kept = countIt(event) && (refused ? listIt(event) : stampIt(event));
    return kept ? 0 : 1;
  }

  function countIt(event: TrafficEvent): boolean {
    const hour = Math.floor(event.at / hourMs);
    const { tenant, domain, reason, action, edge } = event;
    const id = `${tenant}\n${domain}\n${reason}\n${action}\n${edge}\n${hour}`;
    const row = counts.get(id);
    if (row !== undefined) row.count += 1;
    else if (counts.size >= limits.counts) return false;
    else counts.set(id, { tenant, domain, reason, action, edge, hour, count: 1 });
    return true;
  }

  function stampIt(event: TrafficEvent): boolean {
    if (event.key === undefined) return true;
    const ofTenant = accepted.get(event.tenant) ?? new Map<string, number>();
    const known = ofTenant.get(event.key);
    if (known === undefined && acceptedSize >= limits.accepted) return false;
    if (known === undefined) acceptedSize += 1;
    ofTenant.set(event.key, Math.max(known ?? 0, event.at));
    accepted.set(event.tenant, ofTenant);
    return true;
  }

  function listIt(event: TrafficEvent): boolean {
    if (rejections.length >= limits.rejections) return false;
    rejections.push(rejectionRow(event));
    return true;
  }

  function take(): TrafficBatch | undefined {
    if (counts.size === 0 && acceptedSize === 0 && rejections.length === 0) return undefined;
    const stamps = [...accepted].flatMap(([tenant, keys]) =>
      [...keys].map(([key, at]) => ({ tenant, key, at })),
    );
    const batch = { counts: [...counts.values()], accepted: stamps, rejections };
    counts = new Map();
    accepted = new Map();
    acceptedSize = 0;
    rejections = [];
    return batch;
  }

  return { add, take };
}

function rejectionRow(event: TrafficEvent): RejectionRow {
  return {
    reference: event.reference ?? '',
    at: event.at,
    tenant: event.tenant,
    domain: event.domain,
    edge: event.edge,
    address: event.address.slice(0, maxText),
    sender: event.sender?.slice(0, maxText) ?? null,
    client: event.client ?? null,
    reason: event.reason,
    code: event.code,
    status: event.status,
    observed: event.observed,
  };
}
