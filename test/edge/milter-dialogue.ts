/**
 * Dialogue files of the milter protocol: `C: ` sends a frame, `S: ` expects one, both as milter-client.ts shows them.
 *
 * `S: /regex/` expects a match, `S: <closed>` the end of the connection. `C! ` sends what follows as it is, with JSON escapes,
 * no frame around it; `C: <shutdown>` shuts down the client's side. Consecutive client lines leave in one packet. A first line
 * `# options: {...}` gives options to the edge; other lines with `#` are comments.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { encode, type MilterClient } from './milter-client.js';

export interface MilterDialogue {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

export function readMilterDialogues(folder: URL): MilterDialogue[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.dialog'))
    .map((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const options = /^# options: (.*)$/m.exec(text)?.[1] ?? '{}';
      return { name, options: JSON.parse(options) as Record<string, unknown>, lines: text.split('\n') };
    });
}

export async function playMilterDialogue(dialogue: MilterDialogue, client: MilterClient): Promise<void> {
  let packet: Buffer[] = [];
  function flush(): void {
    if (packet.length > 0) client.sendRaw(Buffer.concat(packet));
    packet = [];
  }
  for (const [index, line] of dialogue.lines.entries()) {
    const at = `${dialogue.name}:${index + 1}`;
    const rest = line.slice(3);
    if (line === '' || line.startsWith('#')) continue;
    if (line === 'C: <shutdown>') {
      flush();
      client.socket.end();
    } else if (line.startsWith('C: ')) packet.push(encode(rest));
    else if (line.startsWith('C! ')) packet.push(Buffer.from(JSON.parse(`"${rest}"`) as string, 'latin1'));
    else if (line.startsWith('S: ')) {
      flush();
      check(at, rest, await client.answer());
    } else throw new Error(`${at}: not a line of a dialogue`);
  }
  flush();
}

function check(at: string, wanted: string, got: string | undefined): void {
  const pattern = /^\/(.*)\/$/.exec(wanted)?.[1];
  const shown = `${at}: ${got ?? '<closed>'}`;
  if (pattern !== undefined) expect(shown).toMatch(new RegExp(`: ${pattern}$`));
  else expect(shown).toBe(`${at}: ${wanted}`);
}
