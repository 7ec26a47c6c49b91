/** From the configuration to a source: resolves secrets and reads certificates, and nothing before it is asked to. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema.js';
import { resolveSecret } from '../config/secret.js';
import type { CsvSourceConfig } from '../config/sources/csv.js';
import type { LdapSourceConfig } from '../config/sources/ldap.js';
import type { ListSourceConfig, SourceConfig } from '../config/sources/sources.js';
import { messageOf, RollcallError } from '../errors.js';
import { createCsvSource, openCsvFile } from '../source/csv/csv-source.js';
import { createLdapSource } from '../source/ldap/ldap-source.js';
import type { Source } from '../source/source.js';

/** The configured source of that name. Throws `not-found` with the names there are. */
export function sourceConfigOf(config: Config, name: string): SourceConfig {
  const source = config.sources[name];
  if (source !== undefined) return source;
  const names = Object.keys(config.sources);
  throw new RollcallError('not-found', `there is no source named ${name}`, {
    hint: names.length === 0 ? 'No source is configured.' : `Configured: ${names.join(', ')}.`,
  });
}

/** The same, if it gives lists. Throws `usage` for one that is only asked. */
export function listSourceOf(config: Config, name: string): ListSourceConfig {
  const source = sourceConfigOf(config, name);
  if (source.kind !== 'smtp') return source;
  throw new RollcallError('usage', `source ${name} is of kind smtp: it has no list, its server is asked`, {
    hint: '`rollcall check ADDRESS` asks it about one address.',
  });
}

/** A list file that stands in for the source's own: an upload. */
export interface Upload {
  readonly path: string;
  /** The file's name as a person knows it. */
  readonly label: string;
}

export function sourceOf(config: Config, name: string, upload?: Upload): Source {
  const source = listSourceOf(config, name);
  if (source.kind === 'csv') return csvSource(name, source, upload);
  if (upload === undefined) return ldapSource(name, source);
  throw new RollcallError(
    'usage',
    `source ${name} is of kind ${source.kind}: a list can be uploaded only to a csv source`,
  );
}

function csvSource(name: string, source: CsvSourceConfig, upload: Upload | undefined): Source {
  const path = upload?.path ?? source.path;
  if (path === undefined) {
    throw new RollcallError('usage', `source ${name} has no path: it takes uploads only`, {
      hint: `Run \`rollcall upload ${name} FILE\`, or set sources.${name}.path.`,
    });
  }
  // also for an upload: `rollcall upload` reads a named file in place, and somebody may be writing it
  const open = (): ReturnType<typeof openCsvFile> => openCsvFile(path);
  return createCsvSource({ ...source, name, open, label: upload?.label ?? path });
}

function ldapSource(name: string, source: LdapSourceConfig): Source {
  const { bindPassword } = source;
  return createLdapSource({
    name,
    urls: source.url,
    startTls: source.startTls,
    tls: {
      ca: source.tls.ca === undefined ? undefined : readCertificate(source.tls.ca, `sources.${name}.tls.ca`),
      servername: source.tls.servername,
      verify: source.tls.verify,
    },
    bindDn: source.bindDn,
    bindPassword:
      bindPassword === undefined ? undefined : resolveSecret(bindPassword, `sources.${name}.bindPassword`),
    baseDns: source.baseDn,
    scope: source.scope,
    preset: source.preset,
    filter: source.filter,
    attributes: source.attributes,
    respectDisabled: source.respectDisabled,
    pageSize: source.pageSize,
    timeoutMs: source.timeout,
    timeLimitSeconds: Math.ceil(source.timeLimit / 1000),
    connectTimeoutMs: source.connectTimeout,
  });
}

export function readCertificate(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RollcallError('config', `${option}: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
