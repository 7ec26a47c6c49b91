/**
 * Whose a new file is, and who may read it: numbers, and names as the system knows them.
 *
 * Throws `RollcallError` for a name that is none.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { RollcallError } from '../errors.js';

/** Of a file that was not there before; one that was keeps its own. */
export interface Rights {
  /** Default 0640. */
  readonly mode?: number | undefined;
  /** A name or a number; default: who runs Rollcall. */
  readonly owner?: string | number | undefined;
  readonly group?: string | number | undefined;
}

export function idOf(kind: 'user' | 'group', name: string | number): number {
  if (typeof name === 'number' || /^\d+$/.test(name)) return Number(name);
  const database = kind === 'user' ? 'passwd' : 'group';
  const id = inFile(`/etc/${database}`, name) ?? fromSystem(database, name);
  if (id !== undefined) return id;
  throw new RollcallError('config', `there is no ${kind} "${name}" on this machine`, {
    hint: 'Mend "owner" or "group" of this export, or give the number.',
  });
}

function inFile(file: string, name: string): number | undefined {
  try {
    return idIn(readFileSync(file, 'utf8'), name);
  } catch {
    return undefined;
  }
}

/** Users and groups that a directory service knows (nsswitch.conf). */
function fromSystem(database: string, name: string): number | undefined {
  try {
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore'];
    return idIn(
      execFileSync('getent', [database, '--', name], { encoding: 'utf8', timeout: 5000, stdio }),
      name,
    );
  } catch {
    return undefined;
  }
}

/** Name, password, number: the first three fields of passwd(5) and of group(5). */
function idIn(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name}:`));
  const id = line?.split(':')[2] ?? '';
  return /^\d+$/.test(id) ? Number(id) : undefined;
}
