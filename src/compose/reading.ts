/** How a source may be read: by itself or not, by its changes or whole, and under which configuration a cursor was made. */
import { createHash } from 'node:crypto';
import type { ListSourceConfig, SourceConfig } from '../config/sources/sources.js';
import type { Reading } from '../sync/request.js';
import type { Scope } from '../sync/scope.js';

/** Whether a source can be read without being sent a list. Mail servers (`smtp`) are asked, and give none. */
export function readsByItself(source: SourceConfig): source is ListSourceConfig {
  return (
    source.kind === 'ldap' ||
    source.kind === 'graph' ||
    (source.kind === 'csv' && (source.path ?? source.url) !== undefined)
  );
}

/** What decides the list that a source gives; when and how often it is read, and what is done with it, does not. */
export function listOptions(source: SourceConfig): Record<string, unknown> {
  if (source.kind === 'smtp') return { ...source };
  const leftOut = [
    'schedule',
    'timezone',
    'jitter',
    'catchUp',
    'guard',
    'incremental',
    'fullSchedule',
    'confirm',
    'listEvery',
    'interval',
    'keep',
  ];
  return Object.fromEntries(Object.entries(source).filter(([option]) => !leftOut.includes(option)));
}

export function readingOf(source: ListSourceConfig, scope: Scope, full: boolean): Reading {
  const made = JSON.stringify([listOptions(source), scope.covers]);
  const live = source.kind === 'csv' ? undefined : source;
  return {
    incremental: !full && live?.incremental !== false,
    madeFrom: createHash('sha256').update(made).digest('hex'),
    fullSchedule:
      live === undefined ? undefined : { expression: live.fullSchedule, timezone: source.timezone },
    listEveryMs: source.kind === 'ldap' ? source.listEvery : Infinity,
  };
}
