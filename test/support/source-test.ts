/** `rollcall source test staff`, with the configuration of one source: what it printed, and its exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/cli.js';
import type { Streams } from '../../src/cli/context.js';

export interface SourceTested {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A folder for one configuration and the files that it names. */
export class SourceTests {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-source-test-'));

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Writes a file that the configuration names; returns its path. */
  file(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  async run(source: object, ...more: readonly string[]): Promise<SourceTested> {
    const config = {
      dataDir: this.path('data'),
      domains: { 'example.com': { mode: 'enforce', sources: ['staff'] } },
      sources: { staff: source },
    };
    const file = this.file('config.json', JSON.stringify(config));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const streams = { stdin: process.stdin, stdout, stderr } as unknown as Streams;
    const status = await runCli(['-c', file, 'source', 'test', 'staff', ...more], streams);
    const text = (stream: PassThrough): string => String(stream.read() ?? '');
    return { status, out: text(stdout), err: text(stderr) };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
