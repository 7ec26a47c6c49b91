import { describe, it } from 'vitest';
import { runMilter } from './edges.js';
import { openMilter } from './milter-client.js';
import { playMilterDialogue, readMilterDialogues } from './milter-dialogue.js';

describe('milter dialogues', () => {
  for (const dialogue of readMilterDialogues(new URL('../dialogs/milter/', import.meta.url)))
    it(dialogue.name, async () => {
      const { address } = await runMilter(dialogue.options);
      await playMilterDialogue(dialogue, await openMilter(address));
    });
});
