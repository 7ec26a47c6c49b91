/**
 * Whether paging works there: two small pages, and that the second goes on where the first ended; then whether the configured
 * page size is taken.
 */
import { FilterParser, PagedResultsControl, type SearchEntry, type SearchResponse } from 'ldapts';
import { drawback, type ProbeFinding, well, wrong } from '../probe.js';
import { explainResult } from './explain.js';
import type { Scan } from './scan.js';

const small = 5;

/** Throws what a search throws when the connection is lost. */
export async function provePaging(scan: Scan, filter: string): Promise<ProbeFinding[]> {
  const [baseDn = ''] = scan.options.baseDns;
  const ask = asker(scan, baseDn, filter);
  const first = await ask(small);
  if (first.status !== 0) return [notTaken(first)];
  const cookie = cookieOf(first);
  if (cookie === undefined) return [unpaged(scan)];
  if (cookie.length === 0)
    return [well(`paging works: ${String(first.searchEntries.length)} entries fit one page`)];
  const second = await ask(small, cookie);
  if (second.status !== 0) return [notTaken(second)];
  const known = new Set(namesOf(first.searchEntries));
  if (namesOf(second.searchEntries).some((name) => known.has(name))) {
    return [
      wrong('the second page repeats the first', 'A read would not end.', 'Ask the maker of the server.'),
    ];
  }
  return [
    well('paging works: a second page goes on where the first ended'),
    ...(await configuredSize(scan, ask)),
  ];
}

type Ask = (size: number, cookie?: Buffer) => Promise<SearchResponse>;

async function configuredSize({ options }: Scan, ask: Ask): Promise<ProbeFinding[]> {
  const answer = await ask(options.pageSize);
  const got = answer.searchEntries.length;
  const size = String(options.pageSize);
  const why = 'Runs find a smaller size by themselves, with a question or more for each.';
  if (answer.status === 11 && got === 0) {
    return [drawback(`the server refuses pages of ${size} entries (result 11)`, why, 'Lower pageSize.')];
  }
  if (answer.status !== 0) return [notTaken(answer)];
  const more = (cookieOf(answer)?.length ?? 0) > 0;
  return more && got < options.pageSize
    ? [
        drawback(
          `of pages of ${size} entries the server gives ${String(got)}`,
          'It works, with smaller pages.',
          `Set pageSize to ${String(got)}.`,
        ),
      ]
    : [];
}

function asker({ session, options }: Scan, baseDN: string, filter: string): Ask {
  const parsed = FilterParser.parseString(filter);
  return (size, cookie) =>
    session.search({
      baseDN,
      scope: options.scope,
      filter: parsed,
      attributes: ['1.1'],
      timeLimit: options.timeLimitSeconds,
      controls: [
        new PagedResultsControl({
          critical: false,
          value: cookie === undefined ? { size } : { size, cookie },
        }),
      ],
    });
}

function cookieOf(answer: SearchResponse): Buffer | undefined {
  return answer.controls?.find((control) => control instanceof PagedResultsControl)?.value?.cookie;
}

function namesOf(entries: readonly SearchEntry[]): string[] {
  return entries.map(({ name }) => name);
}

function notTaken({ status, errorMessage }: SearchResponse): ProbeFinding {
  const { text, hint } = explainResult(status, errorMessage);
  return wrong(`paging does not work: ${text}`, 'A run would fail, and the list stay as it was.', hint);
}

function unpaged({ facts }: Scan): ProbeFinding {
  return facts.paging === false
    ? drawback('the server does not page', 'All entries must fit one answer, and its size limit.', '')
    : wrong(
        'the server ignores paging, and does not say so',
        'An answer may be cut short without a sign: such a read never removes anyone.',
        'Ask for paged results (RFC 2696) to be switched on.',
      );
}
