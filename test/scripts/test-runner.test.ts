/** What `npm test` promises to whoever reads its last line. */

import { describe, expect, it } from 'vitest';
import { runScript } from './run-script.js';

describe('scripts/test.mjs', () => {
  it('ends with the plain line, and fails when no test ran', () => {
    const { status, output } = runScript('test.mjs', ['test/no-such-file']);
    expect(output.split('\n').at(-2)).toBe('0 passed, 0 failed, 0 skipped');
    expect(output).toContain('No test ran');
    expect(status).toBe(1);
  });
});
