/** The doors through which a verdict can be had, each asked in its own words and answering in the same ones. */
import { join } from 'node:path';
import { domainTableOf } from '../../src/compose/domains.js';
import { loadConfig } from '../../src/config/load.js';
import { openLookup } from '../../src/lookup/reader.js';
import { createDecide } from '../../src/policy/decide.js';
import { replies, type Reason } from '../../src/policy/verdict.js';
import { openClient, policyAction, policyRequest } from '../edge/client.js';
import type { Rollcall, RunningProcess } from '../support/rollcall.js';
import { session } from '../support/smtp-client.js';
import type { Door, Row } from './rows.js';

/** What a door says: `action code status text`, and what else its protocol has room for. */
export interface Said {
  readonly verdict: string;
  readonly reason?: string;
  readonly wouldBe?: string | undefined;
}

export type Ask = (row: Row) => Promise<Said> | Said;

export interface House {
  readonly rollcall: Rollcall;
  readonly edge: RunningProcess;
  readonly control: RunningProcess;
  readonly token: string;
}

interface Told {
  readonly action: string;
  readonly code: number;
  readonly status: string;
  readonly text: string;
  readonly reason: string;
  readonly wouldBe?: Omit<Told, 'wouldBe'> | null | undefined;
}

export function openDoors({ rollcall, edge, control, token }: House): Record<Door, Ask> {
  return {
    decide: (row) => askDecide(rollcall, row),
    cli: async (row) => {
      const { json, status, stderr } = await rollcall.cli(['check', row.address, '--from', row.from]);
      if (json === undefined) throw new Error(`check ended with ${String(status)}: ${stderr}`);
      const expected = { accept: 0, reject: 4, defer: 5 }[(json as unknown as Told).action];
      if (status !== expected) throw new Error(`check ended with ${String(status)}, not ${String(expected)}`);
      return say(json as unknown as Told);
    },
    http: async (row) => {
      const url = new URL(`http://127.0.0.1:${control.port('http')}`);
      url.pathname = `/v1/recipients/${encodeURIComponent(row.address)}`;
      url.searchParams.set('from', row.from);
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      return say((await response.json()) as Told);
    },
    smtp: async (row) => {
      const [reply = ''] = await session(edge.port('smtp'), row.from, [row.address]);
      return { verdict: withAction(withoutReference(reply, row)) };
    },
    policy: async (row) => {
      const client = await openClient({ host: '127.0.0.1', port: edge.port('policy') });
      client.send(policyRequest({ recipient: row.address, sender: row.from, client_address: '192.0.2.1' }));
      const action = (await policyAction(client)) ?? 'closed';
      client.close();
      return { verdict: action === 'DUNNO' ? action : withAction(withoutReference(action, row)) };
    },
  };
}

function askDecide(rollcall: Rollcall, row: Row): Said {
  const table = domainTableOf(loadConfig(rollcall.configFile).config);
  const lookup = openLookup({ path: join(rollcall.dataDir, 'lookup.db') });
  try {
    const decide = createDecide({ domains: () => table, lookup, now: Date.now, reference: () => '' });
    return say(decide({ recipient: row.address, form: 'smtp', sender: row.from, edge: 'test' }));
  } finally {
    lookup.close();
  }
}

function say({ action, code, status, text, reason, wouldBe }: Told): Said {
  return {
    verdict: `${action} ${code} ${status} ${text}`,
    reason,
    wouldBe: wouldBe ? `${wouldBe.action} ${wouldBe.code} ${wouldBe.status}` : undefined,
  };
}

/** What this door must say. See protocolDifferences. */
export function expected(door: Door, row: Row): Said {
  const text = textOf(row);
  if (door === 'smtp') return { verdict: `${row.verdict} ${text}` };
  if (door !== 'policy')
    return { verdict: `${row.verdict} ${text}`, reason: row.reason, wouldBe: row.wouldBe };
  if (row.verdict.startsWith('accept') || row.policy === 'DUNNO') return { verdict: 'DUNNO' };
  return {
    verdict: row.policy === undefined ? `${row.verdict} ${text}` : `${row.policy} ${replies.unknown.text}`,
  };
}

function textOf({ reason, verdict }: Row): string {
  const spoken: Reason = verdict.startsWith('accept') ? 'known' : reason;
  return replies[spoken].text;
}

/** Whatever is no plain accept carries a reference. */
function withoutReference(reply: string, { wouldBe }: Row): string {
  const without = reply.replace(/ \(ref [0-9A-Z]{8}\)$/, '');
  const wanted = !reply.startsWith('2') || wouldBe !== undefined;
  if (wanted !== (without !== reply)) throw new Error(`${wanted ? 'no' : 'a'} reference in: ${reply}`);
  return without;
}

function withAction(reply: string): string {
  return `${reply.startsWith('2') ? 'accept' : reply.startsWith('5') ? 'reject' : 'defer'} ${reply}`;
}
