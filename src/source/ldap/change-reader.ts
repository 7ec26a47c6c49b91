/** Which way of telling changes fits a directory: by preset, and by what the server says of itself. */
import { adChanges } from './ad/change-reader.js';
import type { ChangeReader } from './changes.js';
import { csnReader } from './csn.js';
import { firstAble } from './first-able.js';
import type { LdapPreset } from './options.js';
import { timestampReader } from './timestamps.js';
import { usnReader } from './usn.js';

const minute = 60_000;

const readers: Readonly<Record<LdapPreset, ChangeReader>> = {
  'active-directory': adChanges(),
  openldap: firstAble([
    { by: 'csn', reader: csnReader },
    { by: 'time', reader: timestampReader(5 * minute) },
  ]),
  '389ds': firstAble([
    { by: 'usn', reader: usnReader },
    // Replication there brings changes with the time of the server on which they were made.
    { by: 'time', reader: timestampReader(60 * minute) },
  ]),
};

export function changeReader(preset: LdapPreset): ChangeReader {
  return readers[preset];
}
