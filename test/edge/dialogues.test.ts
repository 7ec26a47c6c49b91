import { describe, it } from 'vitest';
import { openClient } from './client.js';
import { playDialogue, readDialogues } from './dialogue.js';
import { runPolicy, runSmtp } from './edges.js';

describe('SMTP dialogues', () => {
  for (const dialogue of readDialogues(new URL('../dialogs/smtp/', import.meta.url), '\r\n'))
    it(dialogue.name, async () => {
      const { address } = await runSmtp(dialogue.options);
      await playDialogue(dialogue, await openClient(address));
    });
});

describe('policy dialogues', () => {
  for (const dialogue of readDialogues(new URL('../dialogs/policy/', import.meta.url), '\n'))
    it(dialogue.name, async () => {
      const { address } = await runPolicy(dialogue.options);
      await playDialogue(dialogue, await openClient(address));
    });
});
