/**
 * The query of `GET /v1/verdict`, read strictly: an unknown or doubled name is refused, because a mistyped `sender` must not
 * give the verdict for an unknown one.
 *
 * A `+` is a plus (RFC 3986), and a space is `%20`: `person+news@example.com` is what people type, and taking the plus for
 * a space, as forms do, would refuse somebody who exists. In a quoted local part either may be meant, so there it is refused.
 */
import { RollcallError } from '../../errors.js';
import type { Question } from '../../policy/verdict.js';

const names = ['recipient', 'sender', 'client', 'form'] as const;
type Name = (typeof names)[number];

/** Longer than any address is: what is looked at. */
const maxValue = 2000;

/** `search` is what stands after the `?`. Throws RollcallError `usage`. */
export function readQuestion(search: string): Question {
  const values = readValues(search);
  const recipient = values.get('recipient');
  if (recipient === undefined || recipient === '')
    throw refusal('recipient is missing', 'It is the address asked about.');
  const form = values.get('form') ?? 'smtp';
  if (form !== 'smtp' && form !== 'internal') throw refusal('form must be smtp or internal');
  return {
    recipient,
    form,
    advisory: true,
    sender: values.get('sender'),
    client: values.get('client') === '' ? undefined : values.get('client'),
    edge: 'http',
  };
}

function readValues(search: string): ReadonlyMap<Name, string> {
  const values = new Map<Name, string>();
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const [raw = '', ...rest] = pair.split('=');
    const name = names.find((known) => known === decode(raw));
    if (name === undefined)
      throw refusal(`unknown option ${JSON.stringify(raw.slice(0, 60))}`, `There are: ${names.join(', ')}.`);
    if (values.has(name)) throw refusal(`${name} is given twice`);
    values.set(name, readValue(name, rest.join('=')));
  }
  return values;
}

function readValue(name: Name, raw: string): string {
  const value = decode(raw);
  if (value === undefined) throw refusal(`${name} is not percent-encoded UTF-8`);
  if (value.length > maxValue) throw refusal(`${name} is longer than ${maxValue} characters`);
  if (raw.includes('+') && value.includes('"'))
    throw refusal(`${name} has a bare + in quotes`, 'Write %2B for a plus, %20 for a space.');
  return value;
}

/** undefined: not percent-encoded UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refusal(message: string, hint = ''): RollcallError {
  return new RollcallError('usage', message, { hint });
}
