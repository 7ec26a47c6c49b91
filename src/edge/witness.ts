/**
 * The witness of the edges: each answer goes to the mail log and to traffic.
 *
 * Promises to be cheap and never to wait. An address is stamped as "last accepted" only when it is a listed one: the keys
 * of catch-all domains and patterns are endless.
 */
import type { Question, Reason, Verdict, Witness } from '../policy/verdict.js';
import type { MailLog } from '../telemetry/mail-log.js';
import type { TrafficEvent } from '../traffic/event.js';

export interface WitnessOptions {
  readonly mailLog: MailLog;
  readonly record: (event: TrafficEvent) => void;
  readonly now?: () => number;
}

export function createWitness(options: WitnessOptions): Witness {
  const now = options.now ?? Date.now;
  return (question, verdict) => {
    options.record(trafficEvent(question, verdict, now()));
    options.mailLog.verdict({
      edge: question.edge,
      recipient: question.recipient,
      sender: question.sender,
      client: question.client,
      action: verdict.action,
      reason: verdict.reason,
      code: verdict.code,
      status: verdict.status,
      domain: verdict.domain,
      tenant: verdict.tenant,
      reference: verdict.reference,
      observed: verdict.wouldBe?.reason,
    });
  };
}

const listed: ReadonlySet<Reason> = new Set(['known', 'subaddress', 'alias-domain']);

/** What traffic keeps of an answer; `at` in milliseconds since the epoch. */
export function trafficEvent(question: Question, verdict: Verdict, at: number): TrafficEvent {
  const meant = verdict.wouldBe ?? verdict;
  return {
    at,
    tenant: verdict.tenant ?? '',
    domain: verdict.domain ?? '',
    edge: question.edge,
    reason: meant.reason,
    action: verdict.action,
    observed: verdict.wouldBe !== undefined && verdict.wouldBe.action !== 'accept',
    code: meant.code,
    status: meant.status,
    address: question.recipient,
    key: listed.has(meant.reason) ? verdict.key : undefined,
    sender: question.sender,
    client: question.client,
    reference: verdict.reference,
  };
}
