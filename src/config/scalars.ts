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
import { parseListenAddress } from './listen-address.js';
import { didYouMean } from './spelling.js';

/** An object that refuses keys it does not know, and names the one that was probably meant. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be an object';
      const unknown = (issue as { keys?: readonly string[] }).keys ?? [];
      const known = Object.keys(shape);
      return unknown.map((key) => `unknown key "${key}"${didYouMean(key, known)}`).join('; ');
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
  return scaled(parseDuration, error, [min, max]).meta({
    'x-type': 'duration',
    'x-bounds': `${min} to ${max}`,
    pattern: durationPattern.source,
  });
}

/** Reads a size within bounds into bytes. A bare number is bytes. */
export function size(min: string, max: string) {
  const error = `must be a size from ${min} to ${max}, such as "256MiB", or a number of bytes`;
  const read = (value: string | number) => (typeof value === 'number' ? value : parseSize(value));
  return z
    .union([z.string().meta({ pattern: sizePattern.source }), z.int()], { error })
    .transform((value, context) =>
      inBounds(read(value), [parseSize(min) ?? 0, parseSize(max) ?? 0], error, context),
    )
    .meta({ 'x-type': 'size', 'x-bounds': `${min} to ${max}` });
}

/** The text forms of `duration` and `size`, for printing a configuration. */
export const texts = { duration: formatDuration, size: formatSize } as const;

export const listenAddress = z
  .string({ error: 'must be a listen address' })
  .transform((text, context) => {
    const address = parseListenAddress(text);
    if (address !== undefined) return address;
    return fail(
      context,
      'must be an address such as "127.0.0.1:2525", "[::1]:2525" or "unix:/run/rollcall/x.sock"',
    );
  })
  .meta({ 'x-type': 'listen address' });

/** One value or a list of them; always a list once read. */
export function oneOrMore<Item extends z.ZodType>(item: Item, type: string) {
  const error = `must be a ${type} or a list of at least one`;
  return z
    .union([item, z.array(item, { error }).min(1, { error })], { error })
    .transform((value): z.output<Item>[] => (Array.isArray(value) ? value : [value as z.output<Item>]))
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
export function fail(context: z.core.$RefinementCtx<unknown>, message: string): never {
  context.issues.push({ code: 'custom', message, input: context.value });
  return z.NEVER;
}

function scaled(
  read: (text: string) => number | undefined,
  error: string,
  bounds: readonly [string, string],
) {
  const limits = [read(bounds[0]) ?? 0, read(bounds[1]) ?? 0] as const;
  return z.string({ error }).transform((value, context) => inBounds(read(value), limits, error, context));
}

function inBounds(
  value: number | undefined,
  [min, max]: readonly [number, number],
  error: string,
  context: z.core.$RefinementCtx<unknown>,
): number {
  if (value !== undefined && value >= min && value <= max) return value;
  return fail(context, error);
}
