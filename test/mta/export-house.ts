/** A Rollcall that is never started: a list, an export of it, and the folder where a mail server reads the file. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createRollcall, type CliResult, type Rollcall } from '../support/rollcall.js';

export interface ExportHouse {
  /** The file that is exported. */
  readonly file: string;
  readonly rollcall: Rollcall;
  configure(options?: { readonly staleAfter?: string; readonly hook?: readonly string[] }): void;
  /** Syncs a list of these local parts of example.com. */
  list(names: readonly string[]): Promise<void>;
  /** `rollcall export`, whatever comes of it. */
  export(...args: readonly string[]): Promise<CliResult>;
  /** `rollcall export`, with exit status 0. */
  exportWell(): Promise<void>;
  remove(): Promise<void>;
}

export function createExportHouse(format: string): ExportHouse {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-export-'));
  // mail servers read it as users of their own
  chmodSync(folder, 0o755);
  const file = join(folder, 'recipients');
  const rollcall = createRollcall({});
  const house: ExportHouse = {
    file,
    rollcall,
    configure({ staleAfter = '48h', hook } = {}) {
      rollcall.configure({
        domains: { 'example.com': { mode: 'enforce', sources: ['staff'], staleAfter } },
        sources: { staff: { kind: 'csv', path: 'staff.csv' } },
        exports: { edge: { format, path: file, ...(hook !== undefined && { hook: { command: hook } }) } },
      });
    },
    async list(names) {
      const rows = names.map((name) => `${name}@example.com`).join('\n');
      writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${rows}\n`);
      const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
      expect(status, `${stdout}${stderr}`).toBe(0);
    },
    export: (...args) => rollcall.cli(['export', ...args]),
    async exportWell() {
      const { status, stdout, stderr } = await house.export();
      expect(status, `${stdout}${stderr}`).toBe(0);
      // as an administrator sets it once; it is kept
      chmodSync(file, 0o644);
    },
    async remove() {
      await rollcall.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  house.configure();
  return house;
}
