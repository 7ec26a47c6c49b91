/**
 * Questions to Graph, answered in JSON: with a token, tried again where that helps, explained where it does not.
 *
 * Promises: a token goes to the configured host only, whatever a link says; a token that is not taken (401) is replaced once.
 * Throws a RollcallError `source`, LostState where the delta token of a question is good for nothing any more, or the reason of
 * the signal.
 */
import { RollcallError } from '../../errors.js';
import { explainAnswer, explainNetwork } from './explain.js';
import { errorOf, isRecord, lostState, withoutWords } from './graph-error.js';
import type { Http, RetryLimits } from './http.js';
import type { Tokens } from './token.js';
import type { HttpResponse } from './transport.js';

/** The delta token has expired, or the directory asks to begin again: what has changed cannot be told. */
export class LostState extends Error {
  override readonly name = 'LostState';
}

/** learn.microsoft.com/graph/delta-query-overview, "State tokens": a question without one begins anew, and has no state to lose. */
const stateToken = /[?&](?:\$|%24)(?:delta|skip)token=(?!latest)/i;

export interface Question {
  /** A path with its query, or a link that Graph gave. */
  readonly url: string;
  /** What the application needs for it, for the error. */
  readonly permission: string;
  readonly limits: RetryLimits;
  /** Advanced queries and counts: learn.microsoft.com/graph/aad-advanced-queries. */
  readonly eventual?: boolean;
  /** It holds somebody's address, and what is said of it may repeat it: no error does. */
  readonly discreet?: boolean;
}

export class GraphClient {
  readonly host: string;

  constructor(
    readonly origin: string,
    readonly http: Http,
    readonly tokens: Tokens,
  ) {
    this.host = new URL(origin).host;
  }

  /** The answer as an object. */
  async json(question: Question, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const response = await this.#answer(question, signal);
    const parsed = parse(response.body);
    if (isRecord(parsed)) return parsed;
    throw new RollcallError('source', `${this.host}: the answer is no JSON object`, {
      hint: 'Does a proxy or a firewall answer instead of Graph?',
    });
  }

  /** The answer of a `/$count`: plain text. */
  async count(question: Question, signal: AbortSignal): Promise<number> {
    const { body } = await this.#answer({ ...question, eventual: true }, signal);
    const text = body.replace(/^\ufeff/, '').trim();
    if (/^\d{1,12}$/.test(text)) return Number(text);
    throw new RollcallError('source', `${this.host}: the answer to a count is no number`);
  }

  async #answer(question: Question, signal: AbortSignal): Promise<HttpResponse> {
    const url = this.resolve(question.url);
    let token = await this.tokens.get(signal);
    let response = await this.#send(url, token, question, signal);
    if (response.status === 401) {
      token = await this.tokens.get(signal, token);
      response = await this.#send(url, token, question, signal);
    }
    if (response.status === 200) return response;
    const lost = stateToken.test(url) ? lostState(response) : undefined;
    if (lost !== undefined) throw new LostState(lost);
    const said = errorOf(response);
    const told = question.discreet === true ? withoutWords(said) : said;
    throw explainAnswer(this.host, response, told, question.permission, this.http.clock.now());
  }

  async #send(
    url: string,
    token: string,
    { eventual, limits }: Question,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(eventual === true && { ConsistencyLevel: 'eventual' }),
    };
    try {
      return await this.http.send({ method: 'GET', url, headers }, signal, limits);
    } catch (error) {
      signal.throwIfAborted();
      throw explainNetwork(this.host, error);
    }
  }

  /** The whole URL of a path or link. Throws for one that leads elsewhere: the token would go with it. */
  resolve(url: string): string {
    const whole = URL.canParse(url, this.origin) ? new URL(url, this.origin) : undefined;
    if (whole?.origin === new URL(this.origin).origin && whole.username === '') return whole.href;
    throw new RollcallError('source', `${this.host}: a link leads to ${whole?.host ?? 'nowhere'}`, {
      hint: 'Links of Graph stay on its host. Check cloud, and whether something in between answers instead.',
    });
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
