/**
 * From claims to slots: the SQL that merges all claims of one source for one key into one slot.
 *
 * A slot is disabled only if every claim of it is, and internal-only only if every active claim is: the same rule that
 * policy/merge.ts applies across slots, so merging in two steps gives what merging at once would.
 */
import { spellingSeparator } from '../store/store.js';
import { slotBase } from './schema.js';

const disabled = 'MIN(c.flags & 1)';
const internal =
  '(CASE WHEN MIN(c.flags & 1) = 0 THEN MIN(CASE WHEN c.flags & 1 THEN 2 ELSE c.flags & 2 END) ELSE MIN(c.flags & 2) END)';
const separator = `char(${spellingSeparator.charCodeAt(0)})`;

/** flags and spelling of a group of claims named `c`. */
export const slotOfClaims = `${disabled} | ${internal} AS flags, NULL AS removed_at,
  CASE WHEN COUNT(c.spelling) = 0 THEN NULL ELSE group_concat(COALESCE(c.spelling, c.key), ${separator}) END AS spelling`;

const isPlain = 'removed_at IS NULL AND spelling IS NULL';
const plain = `source * ${slotBase} + flags`;

/** One slot a key, in key order: rows of `recipient`. */
export const recipientOfSlot = `
  CASE WHEN ${isPlain} THEN ${plain} END,
  CASE WHEN ${isPlain} THEN NULL ELSE json_array(json_array(source, flags, removed_at, spelling)) END`;

/** Slots named `slot` (tenant, key, source, flags, removed_at, spelling) to rows of `recipient`. */
export const recipientsOfSlots = `
  SELECT tenant, key,
    CASE WHEN COUNT(*) = 1 AND MIN(${isPlain}) THEN MIN(${plain}) END,
    CASE WHEN COUNT(*) = 1 AND MIN(${isPlain}) THEN NULL ELSE json_group_array(json_array(source, flags, removed_at, spelling)) END
  FROM slot GROUP BY tenant, key`;
