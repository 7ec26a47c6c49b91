/**
 * Answers in the words of socketmap_table(5): `OK value`, `NOTFOUND `, `TEMP reason`. Never `PERM`: Postfix makes 451 of
 * it, but Sendmail takes it for "not found", and a mistyped name of a map would refuse everybody.
 *
 * An empty value after OK is an error to Postfix.
 */
import type { Verdict } from '../../policy/verdict.js';
import { foundValue, laterText, tableResult } from '../table-key.js';
import { netstring } from './codec.js';

export const notFound = netstring('NOTFOUND ');

export function found(value: string): string {
  return netstring(`OK ${value}`);
}

/** A request that will never be right: the configuration of the MTA is wrong. */
export function misconfigured(reason: string): string {
  return netstring(`TEMP ${reason}`);
}

export function socketmapReply(verdict: Verdict): string {
  switch (tableResult(verdict)) {
    case 'found':
      return foundReply(foundValue(verdict));
    case 'not-found':
      return notFound;
    case 'later':
      return netstring(`TEMP ${laterText(verdict)}`);
  }
}

/** There are as many values as reasons: each is wrapped once. */
const wrapped = new Map<string, string>();

function foundReply(value: string): string {
  let reply = wrapped.get(value);
  if (reply === undefined) wrapped.set(value, (reply = found(value)));
  return reply;
}
