/**
 * Looks through the configuration of an Exim for what makes backscatter or passes Rollcall by: the RCPT ACL, statement by
 * statement.
 *
 * Pure: text in, findings out. Follows `acl = NAME` one step down, no includes.
 */
import { formatListenAddress } from '../../../config/listen-address.js';
import type { Facts } from '../../snippet/facts.js';
import { ok } from '../finding.js';
import { bracedArguments } from './braces.js';
import { arranged, fault, type MtaFinding } from './catalogue.js';
import { listensAt, parseEndpoint } from './endpoint.js';
import { checkLookups } from './exim-lookups.js';
import { parseExim, type EximConf, type Statement } from './exim-parse.js';
import type { ReadText } from './tables.js';

export interface EximInput {
  readonly text: string;
  /** For the place: `/etc/exim4/exim4.conf`. */
  readonly file: string;
  readonly read: ReadText;
  readonly facts: Facts;
}

export function analyseExim(input: EximInput): MtaFinding[] {
  const conf = parseExim(input.text);
  const name = conf.main.get('acl_smtp_rcpt')?.value.trim();
  if (name === undefined) return [fault('exim-no-rcpt-acl', input.file, 'acl_smtp_rcpt is not set')];
  const statements = flatten(conf, conf.acls.get(name) ?? []);
  return arranged([
    ...checkQuestion(input, conf, statements),
    ...statements.flatMap((statement) => checkLookups(input, statement)),
  ]);
}

/** `acl = NAME` (or `accept acl = …`) gives its own statements way to those of NAME, in place. */
function flatten({ acls }: EximConf, statements: readonly Statement[]): Statement[] {
  return statements.flatMap((statement) => {
    const inner = statement.conditions.find(([name]) => name.replace('!', '') === 'acl')?.[1].trim() ?? '';
    return [...(acls.get(inner) ?? []), statement];
  });
}

interface Question {
  readonly at: number;
  readonly ours: boolean;
  readonly text: string;
  readonly place: string;
  readonly findings: readonly MtaFinding[];
}

function checkQuestion(input: EximInput, conf: EximConf, statements: readonly Statement[]): MtaFinding[] {
  const place = ({ line }: Statement): string => `${input.file}:${line}`;
  const questions = statements.flatMap((statement, at) =>
    statement.conditions.flatMap(([name, value]) => questionsOf(input, statement, at, name, value)),
  );
  const first = questions.find(({ ours }) => ours) ?? lookupQuestion(input, statements);
  if (first === undefined) {
    const [wrong] = questions;
    if (wrong !== undefined) return [fault('exim-wrong-address', wrong.place, wrong.text), ...wrong.findings];
    const bare = statements.find(({ conditions }) => conditions.some(isBareVerify));
    return bare === undefined
      ? [fault('exim-not-asked', input.file, 'the RCPT ACL names no door of Rollcall')]
      : [fault('exim-verify-without-callout', place(bare), 'verify = recipient, and nothing asks Rollcall')];
  }
  const early = statements.slice(0, first.at).filter((statement) => accepts(statement));
  return [
    ok(first.place, `asks Rollcall: ${first.text}`),
    ...questions.filter(({ ours }) => ours).flatMap(({ findings }) => findings),
    ...early.map((statement) =>
      fault('exim-accept-before', place(statement), `accept ${conditionsText(statement)}`.trim()),
    ),
    ...checkDomains(input, conf),
  ];
}

function conditionsText({ conditions }: Statement): string {
  return conditions.map(([name, value]) => `${name} = ${value}`).join(', ');
}

const isBareVerify = ([name, value]: readonly [string, string]): boolean =>
  name.replace('!', '') === 'verify' && /^recipient\b/.test(value) && !value.includes('callout');

function questionsOf(
  input: EximInput,
  statement: Statement,
  at: number,
  name: string,
  value: string,
): Question[] {
  const place = `${input.file}:${statement.line}`;
  const isVerify = name.replace('!', '') === 'verify' && /^recipient\b/.test(value);
  if (isVerify && value.includes('callout')) {
    // which host is called the routers say; the smtp door being there is what can be known here
    const ours = (input.facts.doors['smtp'] ?? []).length > 0;
    return [{ at, ours, text: `verify = ${value}`, place, findings: calloutFindings(place, value) }];
  }
  return [...value.matchAll(/\$\{readsocket\s*/g)].slice(0, 20).map((match) => {
    const args = bracedArguments(value, match.index + match[0].length);
    const where = (args[0] ?? '').trim();
    const endpoint = parseEndpoint(where);
    const doors = input.facts.doors['readsocket'] ?? [];
    const ours = endpoint !== undefined && listensAt(doors, endpoint);
    const text = ours
      ? `readsocket ${where}`
      : `it asks ${where}, but the door readsocket listens on ${doors.map(formatListenAddress).join(', ') || 'nothing'}`;
    return { at, ours, text, place, findings: failureFindings(place, args) };
  });
}

function calloutFindings(place: string, value: string): MtaFinding[] {
  const options = value.split(/[/,]/).map((option) => option.trim());
  const findings: MtaFinding[] = [];
  if (options.includes('defer_ok')) findings.push(fault('exim-defer-ok', place, `verify = ${value}`));
  if (!options.includes('no_cache')) findings.push(fault('exim-callout-cache', place, `verify = ${value}`));
  return findings;
}

/** The fifth argument stands in for the answer while there is none. */
function failureFindings(place: string, args: readonly string[]): MtaFinding[] {
  const failure = args[4]?.trim();
  if (failure === undefined) return [fault('exim-no-failure-text', place, `readsocket ${args[0] ?? ''}`)];
  if (/^5\d\d/.test(failure)) return [fault('exim-fail-hard', place, `without an answer it says ${failure}`)];
  if (/^(2\d\d|accept|ok|yes|true|dunno)\b/i.test(failure))
    return [fault('exim-fail-open', place, `without an answer it says ${failure}`)];
  return [];
}

/** A file that Rollcall exports. */
function lookupQuestion({ file, facts }: EximInput, statements: readonly Statement[]): Question | undefined {
  for (const [at, statement] of statements.entries()) {
    const text = conditionsText(statement);
    const found = facts.exports?.find(({ path }) => text.includes(path));
    const place = `${file}:${statement.line}`;
    if (found !== undefined) return { at, ours: true, text: found.path, place, findings: [] };
  }
  return undefined;
}

/** One's own hosts, users and mandatory addresses may be let in before; everything else ends the ACL too early. */
function accepts({ verb, conditions }: Statement): boolean {
  if (verb !== 'accept') return false;
  return !conditions.some(([name, value]) => {
    if (name === 'hosts') return !/^\*?$/.test(value.trim());
    return /^(authenticated|local_parts|recipients|acl|!domains)$/.test(name);
  });
}

function checkDomains({ facts, file }: EximInput, { lists, main }: EximConf): MtaFinding[] {
  const text = lists.get('relay_to_domains') ?? '';
  const line = main.get('relay_to_domains')?.line;
  const about = `${file}${line === undefined ? '' : `:${line}`} relay_to_domains`;
  return text
    .replace(/^<[;+,]/, '')
    .split(/[:;]/)
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name))
    .filter(
      (name) =>
        !facts.domains.some(
          (domain) => name === domain.name || (domain.includeSubdomains && name.endsWith(`.${domain.name}`)),
        ),
    )
    .slice(0, 10)
    .map((name) => fault('exim-domain-unserved', about, `${name} is no domain of Rollcall`));
}
