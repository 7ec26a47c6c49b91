/** Plain text: one address a line, as RFC 5321 spells it; lines that begin with `#` are comments. It says only "exists". */
import { formatMailbox } from '../../address/mailbox.js';
import type { TextFormat } from './format.js';

export const plain: TextFormat = {
  saysOnlyExists: true,
  line({ local, domain }) {
    const line = formatMailbox({ local, domain });
    return line.startsWith('#') ? undefined : line;
  },
  notes: () => ['One address a line; lines that begin with # are comments'],
};
