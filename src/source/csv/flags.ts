/**
 * What a row says of its object besides addresses: its kind, whether it is disabled, whether only our own may write to it.
 *
 * Promises: what is not plainly said is not so: nobody is denied mail for a word that we do not know, and no shared mailbox for
 * its account, which is always disabled.
 */
import { entryKinds, type Entry, type EntryKind } from '../source.js';
import type { Columns } from './header.js';

export type Flags = Pick<Entry, 'kind' | 'disabled' | 'internalOnly'>;

export function flagsOf(cells: readonly string[], columns: Columns, respectDisabled: boolean): Flags {
  return {
    kind: kindOf(columns.kind === undefined ? undefined : cells[columns.kind]),
    disabled: respectDisabled && isDisabled(cells, columns),
    internalOnly: isInternal(cells, columns),
  };
}

function isInternal(cells: readonly string[], { internalOnly }: Columns): boolean {
  return internalOnly !== undefined && isYes(cells[internalOnly]);
}

function isDisabled(cells: readonly string[], columns: Columns): boolean {
  if (columns.disabled === undefined) return false;
  if (columns.kind !== undefined && getsMailDisabled.test(cells[columns.kind] ?? '')) return false;
  const text = (cells[columns.disabled] ?? '').trim().toLowerCase();
  return columns.disabledMeansNo
    ? /^(?:0|false|no|n|nein|non|disabled)$/.test(text)
    : yes.test(text) || /^(?:disabled|suspended)$/.test(text);
}

/** RecipientTypeDetails of mailboxes whose accounts nobody signs in with. */
const getsMailDisabled = /shared|room|equipment|linked|scheduling|team|folder/i;

const yes = /^(?:1|true|yes|y|x|ja|oui)$/;

function isYes(cell = ''): boolean {
  return yes.test(cell.trim().toLowerCase());
}

function kindOf(cell: string | undefined): EntryKind {
  if (cell === undefined) return 'other';
  const text = cell.trim().toLowerCase();
  const exact = entryKinds.find((kind) => kind === text);
  if (exact !== undefined) return exact;
  if (/group|list/.test(text)) return 'group';
  if (text.includes('contact')) return 'contact';
  if (/shared|room|equipment|folder/.test(text)) return 'mailbox';
  return text.includes('user') ? 'user' : 'other';
}
