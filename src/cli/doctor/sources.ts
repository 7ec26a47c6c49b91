/**
 * The sources: can they be reached and read, are their secrets there and closed to others.
 *
 * Reads the first batch of each, bounded in time, and throws it away: nothing is compared, nothing recorded.
 */
import { statSync } from 'node:fs';
import type { Config } from '../../config/schema.js';
import { isLoopback } from '../../config/listen-address.js';
import { resolveSecret } from '../../config/resolve-secret.js';
import { secretsOf } from '../../config/secrets.js';
import type { LdapSourceConfig } from '../../config/sources/ldap.js';
import type { ListSourceConfig, SourceConfig } from '../../config/sources/sources.js';
import { requireFolder } from '../../compose/drop/look.js';
import { sourceOf } from '../../compose/sources/sources.js';
import { asRollcallError } from '../../errors.js';
import type { Source } from '../../source/source.js';
import { error, ok, warn, type Finding } from './finding.js';
import { checkMailServers } from './mail-servers.js';

export async function checkSourcesOf(config: Config): Promise<Finding[]> {
  const entries = Object.entries(config.sources);
  if (entries.length === 0) {
    return [error('sources', 'none is configured', 'Nobody is known, then.', 'Add one under `sources`.')];
  }
  const found = await Promise.all(entries.map(([name, source]) => checkSource(config, name, source)));
  return [...found.flat(), ...checkSecrets(config)];
}

async function checkSource(config: Config, name: string, source: SourceConfig): Promise<Finding[]> {
  const about = `source ${name}`;
  if (source.kind === 'csv' && source.folder !== undefined) return [await checkFolder(about, source.folder)];
  if (source.kind === 'csv' && (source.path ?? source.url) === undefined) {
    return [ok(about, `takes uploads: \`rollcall upload ${name} FILE\``)];
  }
  if (source.kind === 'smtp') return await checkMailServers(config, name, source);
  const timeoutMs = patienceWith(source);
  return [
    ...(source.kind === 'ldap' ? checkEncryption(about, source) : []),
    await tryToRead(config, name, timeoutMs),
  ];
}

/** So long the first batch may take. */
function patienceWith(source: ListSourceConfig): number {
  switch (source.kind) {
    case 'ldap':
      return source.connectTimeout * source.url.length + source.timeout;
    case 'graph':
      // a token, the counts, the first page
      return source.timeout * 3;
    case 'csv':
      return 10_000;
  }
}

async function checkFolder(about: string, folder: string): Promise<Finding> {
  try {
    await requireFolder(folder);
    return ok(about, `takes lists that are dropped into ${folder}`);
  } catch (cause) {
    const { message, hint } = asRollcallError(cause);
    return error(about, message, 'Its list cannot be brought up to date.', hint);
  }
}

function checkEncryption(about: string, source: LdapSourceConfig): Finding[] {
  const findings: Finding[] = [];
  const open = source.url.filter((url) => /^ldap:/i.test(url) && !isLoopback(new URL(url).hostname));
  if (open.length > 0 && !source.startTls) {
    const why = 'Anyone on the way can read the password and change who exists.';
    findings.push(
      warn(about, `${open.join(', ')} is not encrypted`, why, 'Use ldaps://, or set "startTls": true.'),
    );
  }
  if (!source.tls.verify) {
    const why = 'Anyone on the way can pretend to be the directory.';
    findings.push(
      warn(about, 'its certificate is not verified', why, 'Set tls.ca to your CA, and tls.verify to true.'),
    );
  }
  return findings;
}

async function tryToRead(config: Config, name: string, timeoutMs: number): Promise<Finding> {
  const about = `source ${name}`;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const entries = await readFirst(sourceOf(config, name), signal);
    return ok(about, entries === 0 ? 'it can be read, and has no entry' : 'it can be read');
  } catch (cause) {
    const { message, hint } = asRollcallError(cause);
    const what = signal.aborted ? `no answer within ${Math.ceil(timeoutMs / 1000)} s` : message;
    return error(
      about,
      what,
      'Its list cannot be brought up to date.',
      hint === '' ? 'Mend it at the source, or in `sources`.' : hint,
    );
  }
}

/** Entries of the first batch; the rest is not read. */
async function readFirst(source: Source, signal: AbortSignal): Promise<number> {
  const reading = source.read({ signal, problem: () => undefined, progress: () => undefined });
  const first = await reading.next();
  if (first.done === true) return 0;
  await reading.return({ complete: false, reasons: [], description: '' });
  return first.value.length;
}

function checkSecrets(config: Config): Finding[] {
  return secretsOf(config).map(({ path, reference }) => {
    const about = path.join('.');
    try {
      resolveSecret(reference, about);
    } catch (cause) {
      const mend =
        'env' in reference
          ? `Set ${reference.env} for the service.`
          : `Write the secret into ${reference.file}.`;
      return error(about, asRollcallError(cause).message, 'Without it the source refuses us.', mend);
    }
    if ('file' in reference && (statSync(reference.file).mode & 0o077) !== 0) {
      const why = 'A password is for its reader only.';
      return warn(about, `${reference.file} can be read by others`, why, `chmod 600 ${reference.file}`);
    }
    return ok(about, 'the secret is there');
  });
}
