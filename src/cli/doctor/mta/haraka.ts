/**
 * Looks through the configuration of a Haraka: whether the plugin of Rollcall is called, and before whoever would end the
 * asking with an OK.
 *
 * Pure: texts in, findings out.
 */
import { normaliseDomain } from '../../../address/domain.js';
import { formatListenAddress } from '../../../config/listen-address.js';
import type { Facts } from '../../snippet/facts.js';
import { ok } from '../finding.js';
import { arranged, fault, type MtaFinding } from './catalogue.js';
import { listensAt, parseEndpoint } from './endpoint.js';

export interface HarakaInput {
  /** The text of a file of the configuration folder: `plugins`, `rollcall.ini`, `host_list`. */
  readonly file: (name: string) => string | undefined;
  readonly facts: Facts;
}

interface Row {
  readonly text: string;
  readonly line: number;
}

const isOurs = /^(haraka-plugin-)?rollcall$|^rcpt_to\.rollcall$/;
/** Plugins that say OK for a recipient, after which nobody else is asked. */
const saysOk =
  /^(haraka-plugin-)?(rcpt_to\.|rcpt-)|^(haraka-plugin-)?(recipient-routes|rcpt_to|qmail-deliverable|aliases)\b/;

export function analyseHaraka(input: HarakaInput): MtaFinding[] {
  const text = input.file('plugins');
  if (text === undefined) return [fault('haraka-no-plugins', 'config/plugins', 'the file is not there')];
  const plugins = rowsOf(text);
  const at = plugins.findIndex(({ text: name }) => isOurs.test(name));
  const found = plugins[at];
  if (found === undefined)
    return arranged([
      fault('haraka-not-asked', 'config/plugins', 'the plugin of Rollcall is not in it'),
      ...checkDomains(input),
    ]);
  return arranged([
    ok(`config/plugins:${found.line}`, `calls ${found.text}`),
    ...plugins.flatMap((plugin, index) => checkNeighbour(plugin, index < at)),
    ...checkAddress(input),
    ...checkDomains(input),
  ]);
}

function checkNeighbour({ text, line }: Row, before: boolean): MtaFinding[] {
  if (isOurs.test(text) || !saysOk.test(text)) return [];
  const about = `config/plugins:${line}`;
  if (before) return [fault('haraka-order', about, `${text} stands before the plugin of Rollcall`)];
  // the list of hosts knows domains only
  return /in_host_list|in-host-list|routes|max_count/.test(text)
    ? []
    : [fault('haraka-second-validator', about, `${text} beside the plugin of Rollcall`)];
}

function checkAddress({ file, facts }: HarakaInput): MtaFinding[] {
  const text = file('rollcall.ini');
  const doors = facts.doors['http'] ?? [];
  const row = rowsOf(text ?? '').find(({ text: line }) => /^(url|host|server|address|path)\s*=/.test(line));
  if (row === undefined) return [];
  const where = row.text
    .replace(/^\w+\s*=\s*/, '')
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
  const port = rowsOf(text ?? '').find(({ text: line }) => /^port\s*=/.test(line));
  const full =
    port === undefined || /:\d+$/.test(where) ? where : `${where}:${port.text.replace(/^\D+/, '')}`;
  const endpoint = parseEndpoint(full);
  if (endpoint !== undefined && listensAt(doors, endpoint)) return [];
  const listening = doors.map(formatListenAddress).join(', ') || 'nothing';
  return [
    fault(
      'haraka-wrong-address',
      `config/rollcall.ini:${row.line}`,
      `it asks ${full}, but the door http listens on ${listening}`,
    ),
  ];
}

function checkDomains({ file, facts }: HarakaInput): MtaFinding[] {
  const text = file('host_list');
  if (text === undefined) return [];
  const rows = rowsOf(text).map(({ text: name, line }) => ({ line, name: normaliseDomain(name) ?? name }));
  const served = (name: string): boolean =>
    facts.domains.some(
      (domain) => name === domain.name || (domain.includeSubdomains && name.endsWith(`.${domain.name}`)),
    );
  return [
    ...rows
      .filter(({ name }) => !served(name))
      .slice(0, 10)
      .map(({ name, line }) =>
        fault('haraka-domain-unserved', `config/host_list:${line}`, `${name} is no domain of Rollcall`),
      ),
    ...facts.domains
      .filter((domain) => !rows.some(({ name }) => name === domain.name))
      .slice(0, 10)
      .map(({ name }) => fault('haraka-domain-missing', 'config/host_list', `${name} is not in it`)),
  ];
}

function rowsOf(text: string): Row[] {
  return text
    .split(/\r?\n/)
    .map((row, index) => ({ text: row.replace(/[#;].*$/, '').trim(), line: index + 1 }))
    .filter(({ text: row }) => row !== '' && !row.startsWith('['));
}
