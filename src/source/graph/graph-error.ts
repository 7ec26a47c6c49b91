/**
 * The errors of Graph, as they are written (learn.microsoft.com/graph/errors): `{"error": {code, message, innerError}}`, with
 * inner errors nested at will. Codes are compared without their case: the services do not agree on one.
 */
import type { HttpResponse } from './transport.js';

export interface GraphError {
  readonly code: string;
  readonly message: string;
  readonly inner: GraphError | undefined;
}

const none: GraphError = { code: '', message: '', inner: undefined };
const deepest = 10;

/** Of any answer; one that is no JSON gives its beginning as the message. */
export function errorOf(response: HttpResponse): GraphError {
  try {
    const parsed: unknown = JSON.parse(response.body);
    return isRecord(parsed) ? (read(parsed['error'], 0) ?? none) : none;
  } catch {
    return { ...none, message: response.body.slice(0, 200) };
  }
}

function read(value: unknown, depth: number): GraphError | undefined {
  if (!isRecord(value) || depth > deepest) return undefined;
  const { code, message } = value;
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : '',
    inner: read(value['innerError'] ?? value['innererror'], depth + 1),
  };
}

/** Its codes only. */
export function withoutWords(error: GraphError): GraphError {
  return { ...error, message: '' };
}

/** From the outside in, without what is empty. */
export function codesOf(error: GraphError): string[] {
  const codes: string[] = [];
  for (let each: GraphError | undefined = error; each !== undefined; each = each.inner)
    if (each.code !== '') codes.push(each.code.slice(0, 100));
  return codes;
}

/**
 * Why the state token of a question is good for nothing any more; undefined when that is not what the answer says.
 *
 * learn.microsoft.com/graph/delta-query-overview, "Token duration": "a 40X-series error with error codes such as
 * syncStateNotFound"; and "Synchronization reset": 410. So whatever the code is, a question that we did not write ourselves and
 * that is refused as wrong has lost its state: reading everything anew puts it right, or says better what is wrong.
 */
export function lostState(response: HttpResponse): string | undefined {
  if (!refusedAsWrong.has(response.status)) return undefined;
  const codes = codesOf(errorOf(response));
  return codes.find((each) => lost.test(each)) ?? codes[0] ?? `HTTP ${String(response.status)}`;
}

const refusedAsWrong = new Set([400, 404, 410]);
/** learn.microsoft.com/graph/errors: the one that says the most. */
const lost =
  /^(?:syncStateNotFound|syncStateInvalid|resyncRequired|resyncApplyDifferences|resyncUploadDifferences)$/i;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
