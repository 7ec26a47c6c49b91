/** The lines of `rollcall snippet`, as the built command line prints them for the configuration under test. */
import { expect } from 'vitest';
import type { Rollcall } from '../support/rollcall.js';

/** Lines by file. Fails the test when there are none. */
export async function snippetOf(
  rollcall: Rollcall,
  mta: string,
  door: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { status, json, stderr } = await rollcall.cli(['snippet', mta, '--door', door]);
  expect(status, stderr).toBe(0);
  const files = json?.['files'] as readonly { file: string; lines: string[] }[];
  return Object.fromEntries(files.map(({ file, lines }) => [file, lines]));
}
