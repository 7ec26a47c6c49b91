/** `rollcall version`. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Host } from './host.js';
import { exitStatus } from './status.js';

export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

export function registerVersion(program: Command, host: Host): void {
  program
    .command('version')
    .summary('print the version')
    .description('Prints the version of Rollcall and of Node.js.')
    .action((_options: object, command: Command) =>
      host.run(command, (context) => {
        const version = readVersion();
        context.answer({ version, node: process.version }, () => [
          `rollcall ${version}, Node.js ${process.version}`,
        ]);
        return Promise.resolve(exitStatus.done);
      }),
    );
}
