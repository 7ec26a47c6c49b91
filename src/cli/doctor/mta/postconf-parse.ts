/**
 * The output of `postconf -n` and `postconf -M`, one after the other in any order, or main.cf and master.cf themselves.
 *
 * Promises an answer for any text, in linear time: what is neither a setting nor a service is left out. Continuation lines
 * (postconf -f) and comments are understood as in postconf(5).
 */

export interface Setting {
  readonly value: string;
  /** 1-based, in the text. */
  readonly line: number;
}

/** One line of master.cf (master(5)). */
export interface Service {
  /** `smtp`, `127.0.0.1:10025`. */
  readonly name: string;
  readonly type: string;
  readonly chroot: boolean;
  /** `smtpd`, `postscreen`. */
  readonly command: string;
  /** `-o name=value`. */
  readonly overrides: ReadonlyMap<string, string>;
}

export interface Postconf {
  readonly main: ReadonlyMap<string, Setting>;
  readonly services: readonly Service[];
}

export function parsePostconf(text: string): Postconf {
  const main = new Map<string, Setting>();
  const services: Service[] = [];
  for (const { text: logical, line } of logicalLines(text)) {
    const service = serviceOf(logical);
    if (service !== undefined) services.push(service);
    else {
      const at = logical.indexOf('=');
      const name = logical.slice(0, at).trim();
      // the last one counts, as in Postfix
      if (at > 0 && /^\w+$/.test(name)) main.set(name, { value: logical.slice(at + 1).trim(), line });
    }
  }
  return { main, services };
}

/** A line that begins with space goes on with the one before; comments and empty lines may stand between. */
export function logicalLines(text: string): { text: string; line: number }[] {
  const found: { parts: string[]; line: number }[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    if (/^\s*(#|$)/.test(raw)) return;
    const last = found.at(-1);
    if (/^\s/.test(raw) && last !== undefined) last.parts.push(raw.trim());
    else found.push({ parts: [raw.trimEnd()], line: index + 1 });
  });
  return found.map(({ parts, line }) => ({ text: parts.join(' '), line }));
}

const serviceTypes = new Set(['inet', 'unix', 'unix-dgram', 'fifo', 'pass']);

function serviceOf(line: string): Service | undefined {
  const [name, type, , , chroot, , , command, ...args] = words(line);
  if (name === undefined || type === undefined || command === undefined || !serviceTypes.has(type))
    return undefined;
  return { name, type, chroot: chroot === 'y', command, overrides: overridesOf(args) };
}

function overridesOf(args: readonly string[]): Map<string, string> {
  const overrides = new Map<string, string>();
  args.forEach((word, index) => {
    // `-oname=value` is as good as `-o name=value`
    const given = word === '-o' ? (args[index + 1] ?? '') : word.startsWith('-o') ? word.slice(2) : '';
    const at = given.indexOf('=');
    if (at > 0) overrides.set(given.slice(0, at).trim(), given.slice(at + 1).trim());
  });
  return overrides;
}

/** Split at spaces and, with `commas`, at commas; what is in braces is one word, without them (Postfix 3.0). */
export function words(text: string, commas = false): string[] {
  const found: string[] = [];
  let depth = 0;
  let word = '';
  const end = (): void => {
    if (word !== '') found.push(word);
    word = '';
  };
  for (const char of text) {
    if (char === '{') depth += 1;
    if (char === '}' && depth > 0) depth -= 1;
    const parts = depth === 0 && (/\s/.test(char) || (commas && char === ','));
    if (parts) end();
    else word += char;
  }
  end();
  return found.map(unbraced);
}

function unbraced(word: string): string {
  return word.startsWith('{') && word.endsWith('}') ? word.slice(1, -1).trim() : word;
}
