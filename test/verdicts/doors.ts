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
import { askMilter } from './milter-client.js';
import type { Door, Row } from './rows.js';

/** What the proxy’s next hop says to every recipient. */
export const nextHopReply = '250 2.1.5 Next hop takes it';

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

export function openDoors(house: House): Record<Door, Ask> {
  const { rollcall, edge } = house;
  return {
    decide: (row) => askDecide(rollcall, row),
    cli: (row) => askCli(rollcall, row),
    api: (row) => askApi(house, row),
    http: (row) => askHttp(edge.port('http'), row),
    smtp: async (row) => {
      const [reply = ''] = await session(edge.port('smtp'), row.from, [row.address]);
      return { verdict: withAction(withoutReference(reply, row)) };
    },
    proxy: async (row) => {
      const [reply = ''] = await session(edge.port('proxy'), row.from, [row.address]);
      return { verdict: reply.startsWith('2') ? reply : withAction(withoutReference(reply, row)) };
    },
    policy: (row) => askPolicy(edge.port('policy'), row),
    milter: async (row) => {
      const reply = await askMilter(edge.port('milter'), row.from, row.address);
      if (!reply.startsWith('y')) return { verdict: reply };
      const text = reply.slice(1, -1).replaceAll('%%', '%');
      return { verdict: withAction(withoutReference(text, row)) };
    },
    readsocket: async (row) => {
      const line = await askLine(edge.port('readsocket'), `${row.address}\t${row.from}\t192.0.2.1`);
      return { verdict: line.startsWith('DUNNO ') ? 'DUNNO' : withAction(withoutReference(line, row)) };
    },
    socketmap: async (row) => {
      const query = `recipients ${row.address}`;
      const reply = await askSocketmap(edge.port('socketmap'), `${Buffer.byteLength(query)}:${query},`);
      return { verdict: { OK: 'found', NOTFOUND: 'not found', TEMP: 'later' }[reply] ?? reply };
    },
    tcp: async (row) => {
      const line = await askLine(edge.port('tcp'), `get ${row.address}`);
      return { verdict: { 200: 'found', 500: 'not found', 400: 'later' }[line.slice(0, 3)] ?? line };
    },
  };
}

async function askCli(rollcall: Rollcall, row: Row): Promise<Said> {
  const { json, status, stderr } = await rollcall.cli(['check', row.address, '--from', row.from]);
  if (json === undefined) throw new Error(`check ended with ${String(status)}: ${stderr}`);
  const exit = { accept: 0, reject: 4, defer: 5 }[(json as unknown as Told).action];
  if (status !== exit) throw new Error(`check ended with ${String(status)}, not ${String(exit)}`);
  return say(json as unknown as Told);
}

async function askApi({ control, token }: House, row: Row): Promise<Said> {
  const url = new URL(`http://127.0.0.1:${control.port('http')}`);
  url.pathname = `/v1/recipients/${encodeURIComponent(row.address)}`;
  url.searchParams.set('from', row.from);
  return say(await getJson(url, { authorization: `Bearer ${token}` }));
}

async function askHttp(port: number, row: Row): Promise<Said> {
  const [recipient, sender] = [encodeURIComponent(row.address), encodeURIComponent(row.from)];
  const told = await getJson(
    new URL(`http://127.0.0.1:${port}/v1/verdict?recipient=${recipient}&sender=${sender}&client=192.0.2.1`),
  );
  const reply = withoutReference(`${told.code} ${told.text}`, row);
  return say({ ...told, text: reply.slice(4) });
}

async function getJson(url: URL, headers: Record<string, string> = {}): Promise<Told> {
  const response = await fetch(url, { headers });
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  return (await response.json()) as Told;
}

async function askPolicy(port: number, row: Row): Promise<Said> {
  const client = await openClient({ host: '127.0.0.1', port });
  client.send(policyRequest({ recipient: row.address, sender: row.from, client_address: '192.0.2.1' }));
  const action = (await policyAction(client)) ?? 'closed';
  client.close();
  return { verdict: action === 'DUNNO' ? action : withAction(withoutReference(action, row)) };
}

async function askLine(port: number, line: string): Promise<string> {
  const client = await openClient({ host: '127.0.0.1', port });
  client.send(`${line}\n`);
  const answer = await client.line();
  client.close();
  return answer ?? 'closed';
}

/** The first word of the reply. */
async function askSocketmap(port: number, request: string): Promise<string> {
  const client = await openClient({ host: '127.0.0.1', port });
  client.send(request);
  client.socket.end();
  const reply = await new Promise<string>((resolve) => {
    let text = '';
    client.socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    client.socket.on('end', () => resolve(text));
  });
  client.close();
  return /^\d+:([A-Z]+) .*,$/.exec(reply)?.[1] ?? reply;
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
  const said = { verdict: `${row.verdict} ${textOf(row)}` };
  const accepted = row.verdict.startsWith('accept');
  switch (door) {
    case 'decide':
    case 'cli':
    case 'api':
    case 'http':
      return { ...said, reason: row.reason, wouldBe: row.wouldBe };
    case 'smtp':
      return said;
    case 'proxy':
      return accepted ? { verdict: nextHopReply } : said;
    case 'policy':
      return accepted || notOurs(row) ? { verdict: 'DUNNO' } : whenUnquoted(row, said);
    case 'milter':
      return accepted || notOurs(row) ? { verdict: 'c' } : whenUnquoted(row, said);
    case 'readsocket':
      return notOurs(row) ? { verdict: 'DUNNO' } : whenUnquoted(row, said);
    case 'socketmap':
    case 'tcp':
      return { verdict: whenListed(row) };
  }
}

function notOurs({ reason }: Row): boolean {
  return reason === 'not-our-domain';
}

function whenUnquoted({ unquoted }: Row, said: Said): Said {
  return unquoted === undefined ? said : { verdict: `${unquoted} ${replies.unknown.text}` };
}

function whenListed(row: Row): string {
  if (row.verdict.startsWith('accept') || row.reason === 'internal-only') return 'found';
  return row.verdict.startsWith('defer') || notOurs(row) ? 'later' : 'not found';
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
