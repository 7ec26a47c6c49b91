import { describe, it } from 'vitest';
import type { ListenAddress } from '../../src/edge/bind.js';
import { openClient, type LineClient } from './client.js';
import { playDialogue, readDialogues } from './dialogue.js';
import {
  runHttp,
  runPolicy,
  runProxy,
  runReadsocket,
  runSmtp,
  runSocketmap,
  runTcp,
  type Running,
} from './edges.js';
import { runHop } from './fake-hop.js';
import { openNetstringClient, toNetstring } from './netstring-client.js';

interface Protocol {
  readonly run: (options: Readonly<Record<string, unknown>>) => Promise<Running>;
  readonly wrap: string | ((line: string) => string);
  readonly open?: (address: ListenAddress) => Promise<LineClient>;
}

const protocols: Readonly<Record<string, Protocol>> = {
  smtp: { run: runSmtp, wrap: '\r\n' },
  policy: { run: runPolicy, wrap: '\n' },
  socketmap: { run: runSocketmap, wrap: toNetstring, open: openNetstringClient },
  tcp: { run: runTcp, wrap: '\n' },
  readsocket: { run: runReadsocket, wrap: '\n' },
  http: { run: runHttp, wrap: '\r\n' },
  proxy: { run: runProxyBefore, wrap: '\r\n' },
};

async function runProxyBefore(options: Readonly<Record<string, unknown>>): Promise<Running> {
  const reply = (command: string) => (command.includes('<full@') ? '452 4.2.2 Mailbox full' : undefined);
  const hop = await runHop({ reply });
  return runProxy({ nextHops: [hop.target], ...options });
}

describe.each(Object.entries(protocols))('%s dialogues', (name, { run, wrap, open = openClient }) => {
  for (const dialogue of readDialogues(new URL(`../dialogs/${name}/`, import.meta.url), wrap))
    it(dialogue.name, async () => {
      const { address } = await run(dialogue.options);
      await playDialogue(dialogue, await open(address));
    });
});
