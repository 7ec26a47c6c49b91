/** Which way of telling changes fits a directory: by preset, and by what the server says of itself. */
import type { ChangeReader } from './changes.js';
import type { LdapPreset } from './options.js';

const readers: Readonly<Partial<Record<LdapPreset, ChangeReader>>> = {};

/** Undefined: this directory is always read whole. */
export function changeReader(preset: LdapPreset): ChangeReader | undefined {
  return readers[preset];
}
