/**
 * SMTP command lines: verb, arguments, path, parameters. Pure functions on text whose characters are octets (latin1).
 *
 * Promises linear time, and a path exactly as it was sent: what it means, and whether it is well-formed, is for `decide`
 * (source routes, quotes, literals, UTF-8, A-labels). Refuses only what is no `<path>` at all.
 */

export interface CommandLine {
  /** Upper case; empty for an empty line. */
  readonly verb: string;
  readonly rest: string;
}

/** Splits at the first space; white space around is taken off (RFC 5321 §4.1.1 tolerates trailing space). */
export function parseCommandLine(line: string): CommandLine {
  const space = line.indexOf(' ');
  if (space === -1) return { verb: line.trim().toUpperCase(), rest: '' };
  return { verb: line.slice(0, space).toUpperCase(), rest: line.slice(space + 1).trim() };
}

export interface PathArgument {
  /** What stands between the angle brackets; empty for `<>`. */
  readonly path: string;
  /** What follows them, unparsed; empty for none. */
  readonly parameters: string;
}

/**
 * `FROM:<path> parameters`. Takes white space around the colon, which RFC 5321 §4.1.1.2 forbids and many clients send.
 * Undefined when there are no brackets, or no space between them and what follows.
 */
export function parsePathArgument(rest: string, keyword: 'FROM' | 'TO'): PathArgument | undefined {
  const colon = rest.indexOf(':');
  if (colon === -1 || rest.slice(0, colon).trim().toUpperCase() !== keyword) return undefined;
  const start = skipSpace(rest, colon + 1);
  if (rest[start] !== '<') return undefined;
  const end = closingBracket(rest, start + 1);
  if (end === -1 || (end + 1 < rest.length && rest[end + 1] !== ' ')) return undefined;
  return { path: rest.slice(start + 1, end), parameters: rest.slice(end + 2).trim() };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ') at += 1;
  return at;
}

/** The `>` that is not inside a quoted local part (RFC 5321 §4.1.2 Quoted-string). */
function closingBracket(text: string, from: number): number {
  const first = text.indexOf('>', from);
  const quote = text.indexOf('"', from);
  if (quote === -1 || first < quote) return first;
  let quoted = false;
  for (let at = quote; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === '>' && !quoted) return at;
  }
  return -1;
}

const mailParameters = new Set([
  'SIZE',
  'BODY',
  'SMTPUTF8',
  'RET',
  'ENVID',
  'AUTH',
  'REQUIRETLS',
  'MT-PRIORITY',
]);
const rcptParameters = new Set(['NOTIFY', 'ORCPT', 'RRVS']);

/**
 * The first parameter that is not known, as RFC 5321 §4.1.1.11 wants 555 for it; undefined when all are. Values are not
 * looked at: no message is ever taken, so a size or a notification request changes nothing.
 */
export function unknownParameter(parameters: string, command: 'MAIL' | 'RCPT'): string | undefined {
  if (parameters === '') return undefined;
  const known = command === 'MAIL' ? mailParameters : rcptParameters;
  return parameters.split(/ +/).find((parameter) => {
    const equals = parameter.indexOf('=');
    return !known.has((equals === -1 ? parameter : parameter.slice(0, equals)).toUpperCase());
  });
}

/** Controls have no place in a command; they would end up in replies and logs (RFC 5321 §4.1.2). */
export function hasControls(line: string): boolean {
  return controls.test(line);
}

const controls = /[\x00-\x1f\x7f]/;
