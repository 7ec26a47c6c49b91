/**
 * Every wrong configuration of test/bad-config is refused with the lines of its `.expected` file, and no message ever
 * shows a secret (the cases that hold one spell it `hunter2`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { messageOf, RollcallError } from '../../src/errors.js';

const folder = join(import.meta.dirname, '..', 'bad-config');
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace(/\.json$/, ''));

function refusal(name: string): unknown {
  try {
    loadConfig(join(folder, `${name}.json`));
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a wrong configuration is refused', () => {
  test('the cases are there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
  });

  test.each(cases)('%s', (name) => {
    const error = refusal(name);
    expect(error).toBeInstanceOf(RollcallError);
    expect(error).toMatchObject({ code: 'config' });
    const message = messageOf(error);
    const lines = readFileSync(join(folder, `${name}.expected`), 'utf8')
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(message).toContain(line);
    // Nothing else is complained about: one mistake, one line.
    expect(message.split('\n').slice(1)).toHaveLength(lines.length);
    expect(message).not.toContain('hunter2');
  });
});
