import { describe, it } from 'vitest';
import type { ListenAddress } from '../../src/edge/bind.js';
import { openClient, type LineClient } from './client.js';
import { playDialogue, readDialogues } from './dialogue.js';
import { runHttp, runPolicy, runReadsocket, runSmtp, runSocketmap, runTcp, type Running } from './edges.js';
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
};

describe.each(Object.entries(protocols))('%s dialogues', (name, { run, wrap, open = openClient }) => {
  for (const dialogue of readDialogues(new URL(`../dialogs/${name}/`, import.meta.url), wrap))
    it(dialogue.name, async () => {
      const { address } = await run(dialogue.options);
      await playDialogue(dialogue, await open(address));
    });
});
