/**
 * Dialogue files: `C: ` sends a line, `S: ` expects one, and a new protocol quirk is a new file.
 *
 * `S: /regex/` expects a match, `S: <closed>` the end of the connection. `C! ` sends what follows with JSON escapes and
 * no line end, `C: <shutdown>` shuts down the client's side. Consecutive client lines leave in one packet. A first line
 * `# options: {...}` gives options to the edge; other lines with `#` are comments.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import type { LineClient } from './client.js';

export interface Dialogue {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

type Step = { readonly at: string } & (
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'expect'; readonly text: string }
  | { readonly kind: 'shutdown' }
);

/** `wrap`: the line end, or how a line is sent in a protocol without lines. */
export function readDialogues(folder: URL, wrap: string | ((line: string) => string)): Dialogue[] {
  const wrapped = typeof wrap === 'string' ? (line: string) => line + wrap : wrap;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.dialog'))
    .map((name) => parseDialogue(name, readFileSync(new URL(name, folder), 'utf8'), wrapped));
}

function parseDialogue(name: string, text: string, wrap: (line: string) => string): Dialogue {
  const lines = text.split('\n');
  const options = /^# options: (.*)$/m.exec(text)?.[1] ?? '{}';
  const steps = lines.flatMap((line, at) => parseStep(line, `${name}:${at + 1}`, wrap));
  return { name, options: JSON.parse(options) as Record<string, unknown>, steps };
}

function parseStep(line: string, at: string, wrap: (line: string) => string): Step[] {
  const rest = line.slice(3);
  if (line === 'C: <shutdown>') return [{ at, kind: 'shutdown' }];
  if (line.startsWith('C:')) return [{ at, kind: 'send', text: wrap(rest) }];
  if (line.startsWith('C!')) return [{ at, kind: 'send', text: JSON.parse(`"${rest}"`) as string }];
  if (line.startsWith('S:')) return [{ at, kind: 'expect', text: rest }];
  if (line === '' || line.startsWith('#')) return [];
  throw new Error(`${at}: not a line of a dialogue`);
}

export async function playDialogue(dialogue: Dialogue, client: LineClient): Promise<void> {
  let packet = '';
  for (const step of dialogue.steps) {
    if (step.kind === 'send') {
      packet += step.text;
      continue;
    }
    if (packet !== '') client.send(packet);
    packet = '';
    if (step.kind === 'shutdown') client.socket.end();
    else check(step, await client.line());
  }
  if (packet !== '') client.send(packet);
}

function check(step: { readonly at: string; readonly text: string }, got: string | undefined): void {
  const pattern = /^\/(.*)\/$/.exec(step.text)?.[1];
  const shown = `${step.at}: ${got ?? '<closed>'}`;
  if (pattern !== undefined) expect(shown).toMatch(new RegExp(`: ${pattern}$`));
  else expect(shown).toBe(`${step.at}: ${step.text}`);
}
