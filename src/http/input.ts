/**
 * Reads what a request asks for. Strict: a misspelt option is refused, because `dryrun=1` must not apply a list that
 * `dryRun=1` would only have tried.
 */
import { z } from 'zod';
import { HttpError } from './errors.js';

const flag = z.enum(['1', '0', 'true', 'false', ''], { error: 'must be 1 or 0' });
const whole = z.string().regex(/^\d{1,15}$/, { error: 'must be a whole number' });
const text = z.string({ error: 'must be given once' }).max(1000);

const schemas = {
  upload: z.strictObject({ dryRun: flag.optional() }),
  sync: z.strictObject({ dryRun: z.boolean({ error: 'must be true or false' }).optional() }),
  approve: z.strictObject({
    hash: z.string({ error: 'is needed: the planHash of the plan that was seen' }).max(100),
  }),
  nothing: z.strictObject({}),
  runs: z.strictObject({ source: text.optional(), limit: whole.optional(), before: whole.optional() }),
  recipient: z.strictObject({ from: text.optional(), client: text.optional() }),
} as const;

type Schemas = typeof schemas;

/** Throws 400 that names the option and what would be right. */
export function readInput<Name extends keyof Schemas>(name: Name, value: unknown): z.output<Schemas[Name]> {
  const parsed = schemas[name].safeParse(value ?? {});
  if (parsed.success) return parsed.data as z.output<Schemas[Name]>;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new HttpError(400, 'usage', `${where}${issue?.message ?? 'the request is not understood'}`);
}

export function isSet(value: z.output<typeof flag> | undefined): boolean {
  return value === '1' || value === 'true';
}

/** The number of a run in a path. Throws 404: there is no such run. */
export function runNumber(value: string): number {
  const run = Number(value);
  if (/^\d{1,15}$/.test(value) && run >= 1) return run;
  throw new HttpError(404, 'not-found', `there is no run ${value.slice(0, 40)}`);
}
