/** Answers of the local Graph server, and the shape of its errors (learn.microsoft.com/graph/errors). */

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
}

export function fail(status: number, code: string, message: string, headers = {}): Reply {
  const innerError = { date: '2026-11-22T06:00:00', 'request-id': 'b6a5f998-94c8-430d-846d-2eaae3031492' };
  return { status, headers, body: { error: { code, message, innerError } } };
}

/** api-reference: only what is selected, and the id, which always comes. */
export function selected(
  properties: Readonly<Record<string, unknown>>,
  select: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(select.flatMap((name) => (name in properties ? [[name, properties[name]]] : [])));
}
