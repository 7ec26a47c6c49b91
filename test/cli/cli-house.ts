/** The built command line on real files: a folder with a configuration and a list, and `node dist/main.js` in it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Result {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export const people = (from: number, to: number): string =>
  `address\n${Array.from({ length: to - from }, (_, i) => `u${from + i}@example.com\n`).join('')}`;

export const defaults = {
  dataDir: './data',
  domains: { 'example.com': { mode: 'enforce', sources: ['people'] } },
  sources: { people: { kind: 'csv', path: './people.csv', schedule: '@hourly' } },
};

export class CliHouse {
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-cli-'));

  constructor(config: object = defaults) {
    this.write('config.json', JSON.stringify(config));
    this.write('people.csv', people(0, 100));
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  start(...args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [main, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], USER: 'tester' },
    });
  }

  async run(args: readonly string[], stdin = ''): Promise<Result> {
    const child = this.start(...args);
    const [out, err] = [text(child.stdout), text(child.stderr)];
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, out: await out, err: await err };
  }

  /** With `--json`; the answer parsed. */
  async json(...args: readonly string[]): Promise<{ status: number | null; json: Record<string, unknown> }> {
    const { status, out } = await this.run([...args, '--json']);
    return { status, json: JSON.parse(out) as Record<string, unknown> };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}
