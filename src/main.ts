#!/usr/bin/env node
/** The entry of the program: arguments to a command, its answer to an exit status. The only place that ends the process. */
import { runCli } from './cli/cli.js';

const status = await runCli(process.argv.slice(2), process);
// what was printed may still be on its way into a pipe
await Promise.all([process.stdout, process.stderr].map(flushed));
process.exit(status);

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
