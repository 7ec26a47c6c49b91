/** The doors of requests and replies, each with how to ask it and what it must say. */
import type { Confirm } from '../../src/policy/verdict.js';
import { policyRequest } from './client.js';
import { runHttp, runPolicy, runReadsocket, runSocketmap, runTcp, type Running } from './edges.js';
import { toNetstring } from './netstring-client.js';

export interface DoorOptions {
  readonly confirm?: Confirm;
  readonly drainTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
}

export interface RequestDoor {
  readonly run: (options?: DoorOptions) => Promise<Running>;
  readonly request: (recipient: string) => string;
  /** In what comes back: a refusal for good, and a deferral. */
  readonly refusal: RegExp;
  readonly deferral: RegExp;
  readonly acceptance: RegExp;
}

export const requestDoors: Readonly<Record<string, RequestDoor>> = {
  policy: {
    run: runPolicy,
    request: (recipient) => policyRequest({ recipient }),
    refusal: /action=550 5\.1\.1 [^\n]*\n\n/g,
    deferral: /action=451 4\.4\.3 [^\n]*\n\n/g,
    acceptance: /action=DUNNO\n\n/g,
  },
  socketmap: {
    run: runSocketmap,
    request: (recipient) => toNetstring(`recipients ${recipient}`),
    refusal: /9:NOTFOUND ,/g,
    deferral: /\d+:TEMP 4\.4\.3 [^,]*,/g,
    acceptance: /\d+:OK [^,]+,/g,
  },
  tcp: {
    run: runTcp,
    request: (recipient) => `get ${recipient}\n`,
    refusal: /500 [^\n]*\n/g,
    deferral: /400 4\.4\.3[^\n]*\n/g,
    acceptance: /200 [^\n]+\n/g,
  },
  readsocket: {
    run: runReadsocket,
    request: (recipient) => `${recipient}\n`,
    refusal: /550 5\.1\.1 [^\n]*\n/g,
    deferral: /451 4\.4\.3 [^\n]*\n/g,
    acceptance: /250 2\.1\.5 [^\n]*\n/g,
  },
  http: {
    run: runHttp,
    request: (recipient) => `GET /v1/verdict?recipient=${recipient} HTTP/1.1\r\nHost: x\r\n\r\n`,
    refusal: /"action":"reject","code":550/g,
    deferral: /"action":"defer","code":451/g,
    acceptance: /"action":"accept"/g,
  },
};
