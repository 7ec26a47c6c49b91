/**
 * Reads a search to its end, page by page (RFC 2696), and says whether that end was proved.
 *
 * Promises: follows the cookie to the last page, also over empty ones; asks for no size limit, so that none can pass for
 * success; any result other than success throws. Nothing is doubted only when the server paged and said that nothing
 * follows, or does not know paging at all (its root DSE says so) and gave the whole answer with success. Nothing is under way
 * any more when it has ended or was left: slapd keeps one paged search for each connection, and mixes up two.
 */
import {
  FilterParser,
  PagedResultsControl,
  type Control,
  type Filter,
  type SearchEntry,
  type SearchResponse,
} from 'ldapts';
import { RollcallError } from '../../errors.js';
import { explainResult } from './explain.js';
import type { SearchQuestion, Session } from './session.js';

export interface PagedQuery {
  readonly baseDn: string;
  readonly scope: 'sub' | 'one';
  /** As text; or made, where text cannot hold it: ldapts turns escaped octets into characters. */
  readonly filter: string | Filter;
  readonly attributes: readonly string[];
  readonly pageSize: number;
  readonly timeLimitSeconds: number;
  /** Whether the server says that it pages; undefined when it says nothing. */
  readonly paging: boolean | undefined;
  /** Sent with every page besides the paged results control. */
  readonly controls?: readonly Control[];
}

export interface Page {
  readonly entries: readonly SearchEntry[];
  readonly references: readonly string[];
}

const smallerSizes = [1000, 500, 200, 100, 50];
const maxEmptyPages = 1000; // in a row; Active Directory sends some where it filters late, never so many

type Fetch = (cookie: Buffer | undefined) => Promise<SearchResponse>;

/** `doubt` is told at the end why that is not proved, if it is not. */
export async function* readPages(
  session: Session,
  query: PagedQuery,
  doubt: (reasons: readonly string[]) => void,
): AsyncGenerator<Page, void, void> {
  const { answer: first, fetch } = await firstPage(session, query);
  let pending: Promise<SearchResponse> | undefined = Promise.resolve(first);
  let empty = 0;
  /** The first entry of the page before. */
  let begun: string | undefined;
  try {
    while (pending !== undefined) {
      const answer: SearchResponse = await pending;
      mustSucceed(session, query, answer);
      const cookie = cookieOf(answer);
      empty = answer.searchEntries.length === 0 ? empty + 1 : 0;
      if (empty > maxEmptyPages)
        throw endless(session, query, `${String(maxEmptyPages)} empty pages in a row`);
      const head = answer.searchEntries[0]?.name;
      if (head !== undefined && head === begun)
        throw endless(session, query, 'the same page again and again');
      begun = head;
      // The next page travels while this one is used.
      pending = cookie === undefined || cookie.length === 0 ? undefined : fetch(cookie);
      pending?.catch(() => undefined);
      yield {
        entries: answer.searchEntries,
        references: answer.searchReferences.flatMap(({ uris }) => uris),
      };
      if (cookie === undefined) doubt(unpaged(session, query));
    }
  } finally {
    await pending?.catch(() => undefined);
  }
}

/** The first page, with a page size that the server takes. */
async function firstPage(
  session: Session,
  query: PagedQuery,
): Promise<{ answer: SearchResponse; fetch: Fetch }> {
  const sizes = [query.pageSize, ...smallerSizes.filter((size) => size < query.pageSize)];
  for (;;) {
    const fetch = fetcher(session, query, sizes.shift() ?? 50);
    const answer = await fetch(undefined);
    // slapd answers a page above its `size.pr` with result 11 and no entry (Active Directory just gives less).
    const tooLarge = answer.status === 11 && answer.searchEntries.length === 0 && query.paging !== false;
    if (!tooLarge || sizes.length === 0) return { answer, fetch };
  }
}

function fetcher(session: Session, query: PagedQuery, size: number): Fetch {
  const question: SearchQuestion = {
    baseDN: query.baseDn,
    scope: query.scope,
    filter: typeof query.filter === 'string' ? FilterParser.parseString(query.filter) : query.filter,
    attributes: [...query.attributes],
    // Never a sizeLimit: with one, ldapts turns "size limit exceeded" into success. The time limit is always sent:
    // left out, ldapts asks the server for ten seconds.
    timeLimit: query.timeLimitSeconds,
    returnAttributeValues: true,
  };
  return (cookie) =>
    session.search({ ...question, controls: [...paging(query, size, cookie), ...(query.controls ?? [])] });
}

function paging(query: PagedQuery, size: number, cookie: Buffer | undefined): PagedResultsControl[] {
  if (query.paging === false) return [];
  const value = cookie === undefined ? { size } : { size, cookie };
  return [new PagedResultsControl({ critical: query.paging === true, value })];
}

/** Empty: the last page. Undefined: the server did not page. */
function cookieOf(answer: SearchResponse): Buffer | undefined {
  const control = answer.controls?.find((candidate) => candidate instanceof PagedResultsControl);
  return control?.value?.cookie;
}

function mustSucceed(session: Session, query: PagedQuery, answer: SearchResponse): void {
  if (answer.status === 0) return;
  const { text, hint } = explainResult(answer.status, answer.errorMessage);
  throw new RollcallError('source', `${session.server}: search below ${query.baseDn}: ${text}`, { hint });
}

function endless(session: Session, query: PagedQuery, what: string): RollcallError {
  return new RollcallError('source', `${session.server}: search below ${query.baseDn}: ${what}`);
}

function unpaged(session: Session, query: PagedQuery): string[] {
  if (query.paging === false) return [];
  return [`${session.server} did not page its answer below ${query.baseDn}: it may have been cut short`];
}
