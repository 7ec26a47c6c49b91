/**
 * A file of addresses that are to be left out: one per line, UTF-8; empty lines and lines that begin with `#` say nothing.
 *
 * Read anew whenever it is asked for. Refuses a file that is not there, cannot be read, is too long, or holds a line that is
 * no address, by throwing `source`: the run then fails and the list in force stays, rather than letting in for a while
 * whom the administrator wanted out.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as others } from 'node:timers/promises';
import { keyOf } from '../address/key.js';
import { parseMailbox } from '../address/mailbox.js';
import { messageOf, RollcallError } from '../errors.js';

export interface ExcludedAddresses {
  /** Keys as sync stores them, in lower case. */
  readonly keys: ReadonlySet<string>;
  /** Changes when the file does. */
  readonly fingerprint: string;
}

const maxOctets = 64 * 1024 * 1024; // about two million addresses
const linesAtOnce = 10_000;

export async function readExcludeFile(path: string): Promise<ExcludedAddresses> {
  const text = await readText(path);
  const keys = new Set<string>();
  let line = 0;
  for (const written of text.replace(/^\uFEFF/, '').split('\n')) {
    line += 1;
    // a look-up reads it too, in the process that answers
    if (line % linesAtOnce === 0) await others();
    const address = written.trim();
    if (address === '' || address.startsWith('#')) continue;
    const parsed = parseMailbox(address);
    if (!parsed.ok) throw refused(path, `line ${String(line)} is no address`);
    keys.add(keyOf(parsed.mailbox));
  }
  return { keys, fingerprint: createHash('sha256').update(text).digest('hex') };
}

async function readText(path: string): Promise<string> {
  try {
    // a pipe that nobody writes into would never be opened
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw refused(path, 'it is no file');
      if (found.size > maxOctets) throw refused(path, `it has more than ${String(maxOctets)} octets`);
      return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof RollcallError) throw error;
    throw refused(path, messageOf(error), error);
  }
}

function refused(path: string, why: string, cause?: unknown): RollcallError {
  return new RollcallError('source', `exclude.file ${path} cannot be used: ${why}`, {
    hint: 'One address per line. Globs belong into exclude.patterns. Until it is mended the list in force stays.',
    cause,
  });
}
