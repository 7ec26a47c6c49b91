/** From the configuration to a source of kind `csv`: a file, an upload, or a download. */
import { join } from 'node:path';
import { isLoopback } from '../../config/listen-address.js';
import { resolveSecret } from '../../config/resolve-secret.js';
import type { CsvSourceConfig } from '../../config/sources/csv.js';
import { RollcallError } from '../../errors.js';
import { createCsvSource, openCsvFile } from '../../source/csv/csv-source.js';
import type { DownloadOptions } from '../../source/csv/download/options.js';
import type { Source } from '../../source/source.js';
import { readCertificate } from './certificate.js';
import { lazily } from './lazily.js';

/** A list file that stands in for the source's own: an upload. */
export interface Upload {
  readonly path: string;
  /** The file's name as a person knows it. */
  readonly label: string;
}

export interface CsvPlaces {
  readonly upload: Upload | undefined;
  readonly dataDir: string;
}

export function csvSource(name: string, source: CsvSourceConfig, { upload, dataDir }: CsvPlaces): Source {
  if (upload === undefined && source.url !== undefined) {
    const options = downloadOptions(name, source, source.url, dataDir);
    return lazily(async () => {
      const { createCsvDownload } = await import('../../source/csv/download/download.js');
      return createCsvDownload(options, { ...source, name });
    }, ['changes']);
  }
  const path = upload?.path ?? source.path;
  if (path === undefined) throw noList(name, source);
  // also for an upload: `rollcall upload` reads a named file in place, and somebody may be writing it
  const open = (): ReturnType<typeof openCsvFile> => openCsvFile(path);
  return createCsvSource({ ...source, name, open, label: upload?.label ?? path });
}

function noList(name: string, { folder }: CsvSourceConfig): RollcallError {
  if (folder !== undefined) {
    return new RollcallError('usage', `source ${name} has no list of its own: files come into ${folder}`);
  }
  return new RollcallError('usage', `source ${name} has no path: it takes uploads only`, {
    hint: `Run \`rollcall upload ${name} FILE\`, or set sources.${name}.path.`,
  });
}

function downloadOptions(
  name: string,
  source: CsvSourceConfig,
  url: string,
  dataDir: string,
): DownloadOptions {
  const option = (key: string): string => `sources.${name}.${key}`;
  const { ca, secretQuery } = source;
  return {
    url,
    secretQuery: secretQuery === undefined ? undefined : resolveSecret(secretQuery, option('secretQuery')),
    headers: Object.fromEntries(
      Object.entries(source.headers).map(([header, value]) => [
        header,
        typeof value === 'string' ? value : resolveSecret(value, option(`headers.${header}`)),
      ]),
    ),
    ca: ca === undefined ? undefined : readCertificate(ca, option('ca')),
    // no proxy leads to this machine, whatever the environment says
    proxy: isLoopback(new URL(url).hostname) ? 'none' : source.proxy,
    timeoutMs: source.timeout,
    maxBytes: source.maxSize,
    spoolFolder: join(dataDir, 'spool'),
  };
}
