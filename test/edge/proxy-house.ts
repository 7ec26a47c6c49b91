/** A proxy before a scripted next hop, with a client that has been greeted. */
import { expect } from 'vitest';
import { openClient, smtpAsk, smtpReply, type LineClient } from './client.js';
import { runProxy, type ProxyTestOptions, type Running } from './edges.js';
import { runHop, type FakeHop, type HopScript } from './fake-hop.js';

export interface House extends Running {
  readonly hop: FakeHop;
  readonly client: LineClient;
}

export const begin = [
  'EHLO client.example',
  'MAIL FROM:<sender@client.example>',
  'RCPT TO:<known@example.com>',
];
export const lost = '451 4.4.2 The server behind was lost, try again later';
export const nobody = '421 4.4.1 No server behind answers, try again later';
export const queued = '250 2.0.0 Ok: queued as FAKE';

export async function house(script: HopScript = {}, options: ProxyTestOptions = {}): Promise<House> {
  const hop = await runHop(script);
  const running = await runProxy({ nextHops: [hop.target], ...options });
  return { ...running, hop, client: await enter(running) };
}

export async function enter({ address }: Running): Promise<LineClient> {
  const client = await openClient(address);
  expect(await smtpReply(client)).toEqual(['220 edge.example ESMTP']);
  return client;
}

export async function askAll(client: LineClient, commands: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const command of commands) answers.push(await smtpAsk(client, command));
  return answers;
}

/** Nothing is left on either side. */
export async function gone(edge: Running['edge'], hop?: FakeHop): Promise<void> {
  await expect.poll(() => edge.connections(), { timeout: 10_000 }).toBe(0);
  if (hop !== undefined) await expect.poll(() => hop.open(), { timeout: 10_000 }).toBe(0);
}
