/**
 * The building blocks of the schema: strict objects, bounded numbers, durations, sizes, paths, listen addresses.
 *
 * Promises that every block carries what the reference page shows (`x-type`, `x-bounds`) and an error that says what
 * would be right. Refuses unknown keys everywhere. No message here repeats the value: load.ts adds it where it may be
 * shown.
 */
import { z } from 'zod';
import {
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizePattern,
} from './durations.js';
import { formatListenAddress, parseListenAddress } from './listen-address.js';
import { didYouMean } from './spelling.js';

/** An object that refuses keys it does not know, and names the one that was probably meant. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be an object';
      const unknown = (issue as { keys?: readonly string[] }).keys ?? [];
      const known = Object.keys(shape);
      // One line per key: issues.ts makes an issue of each.
      return unknown.map((key) => `unknown key${didYouMean(key, known)}`).join('\n');
    },
  });
}

/** A whole number within bounds. */
export function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).meta({ 'x-type': 'number' });
}

/** A percentage, fractions allowed. */
export function percent(max: number) {
  const error = `must be a number from 0 to ${max}, without the % sign`;
  return z.number({ error }).min(0, { error }).max(max, { error }).meta({ 'x-type': 'percentage' });
}

/** Reads a duration within bounds into milliseconds. */
export function duration(min: string, max: string) {
  const error = `must be a duration from ${min} to ${max}, such as "90s", "15m", "48h" or "7d"`;
  const limits = [parseDuration(min) ?? 0, parseDuration(max) ?? 0] as const;
  return z
    .codec(z.string({ error }).meta({ pattern: durationPattern.source }), z.number(), {
      decode: (value, context) => inBounds(parseDuration(value), limits, error, context),
      encode: formatDuration,
    })
    .meta({ 'x-type': 'duration', 'x-bounds': `${min} to ${max}` });
}

/** Reads a size within bounds into bytes. A bare number is bytes. */
export function size(min: string, max: string) {
  const error = `must be a size from ${min} to ${max}, such as "256MiB", or a number of bytes`;
  const limits = [parseSize(min) ?? 0, parseSize(max) ?? 0] as const;
  const written = z.union([z.string().meta({ pattern: sizePattern.source }), z.int()], { error });
  return z
    .codec(written, z.number(), {
      decode: (value, context) =>
        inBounds(typeof value === 'number' ? value : parseSize(value), limits, error, context),
      encode: formatSize,
    })
    .meta({ 'x-type': 'size', 'x-bounds': `${min} to ${max}` });
}

const addressError =
  'must be an address such as "127.0.0.1:2525", "[::1]:2525" or "unix:/run/rollcall/x.sock"';
const addressRead = z.union([
  z.strictObject({ host: z.string(), port: z.int() }),
  z.strictObject({ path: z.string() }),
]);

export const listenAddress = z
  .codec(z.string({ error: addressError }), addressRead, {
    decode: (written, context) => parseListenAddress(written) ?? fail(context, addressError),
    encode: formatListenAddress,
  })
  .meta({ 'x-type': 'listen address' });

/** One value or a list of them; always a list once read. */
export function oneOrMore<Item extends z.ZodType>(item: Item, type: string) {
  const error = `must be a ${type} or a list of at least one`;
  const many = z.array(item, { error }).min(1, { error }).max(100, { error });
  return z
    .codec(z.union([item, many], { error }), z.custom<z.output<Item>[]>(Array.isArray), {
      decode: (value) => (Array.isArray(value) ? value : [value]) as z.output<Item>[],
      encode: (value) => value,
    })
    .meta({ 'x-type': `${type}, or a list` });
}

/** Text on one line, not empty. */
export function text(what: string, max = 1000) {
  const error = `must be ${what}, on one line, at most ${max} characters`;
  return z
    .string({ error })
    .regex(/^[^\p{Cc}]+$/u, { error })
    .max(max, { error })
    .meta({ 'x-type': 'text' });
}

/** A path; a relative one counts from the folder of the configuration file. */
export function path(what: string) {
  return text(`the path of ${what}`, 4096).meta({ 'x-type': 'path' });
}

export function flag() {
  return z.boolean({ error: 'must be true or false, without quotes' });
}

/** One of a few words; a near miss is answered with the word that was probably meant. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => `must be one of ${quoted(words)}${didYouMean(issue.input, words)}`,
  });
}

export function quoted(words: readonly string[]): string {
  return words.map((each) => JSON.stringify(each)).join(', ');
}

/** Reports what would be right and gives up on the value. */
export function fail(context: z.core.ParsePayload, message: string): never {
  context.issues.push({ code: 'custom', message, input: context.value });
  return z.NEVER;
}

function inBounds(
  value: number | undefined,
  [min, max]: readonly [number, number],
  error: string,
  context: z.core.ParsePayload,
): number {
  if (value !== undefined && value >= min && value <= max) return value;
  return fail(context, error);
}
