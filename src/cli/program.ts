/**
 * The command line: which commands there are. Registering is cheap; what a command needs it imports when it runs, so that
 * `rollcall check` starts fast.
 */
import { Command } from 'commander';
import { registerCheck } from './check.js';
import { registerConfig } from './config.js';
import { defaultConfigFiles, type Streams } from './context.js';
import { registerDoctor } from './doctor.js';
import { registerExport } from './export.js';
import type { Host } from './host.js';
import { registerRuns } from './runs.js';
import { registerServices } from './services.js';
import { registerSettle } from './settle.js';
import { registerShow } from './show.js';
import { registerSnippet } from './snippet.js';
import { registerSource } from './source-test.js';
import { registerStats } from './stats.js';
import { registerSync } from './sync.js';
import { registerToken } from './token.js';
import { registerUpload } from './upload.js';
import { readVersion, registerVersion } from './version.js';

export const description =
  'Knows who exists: keeps a mail system’s valid recipients true and answers the edge MTA at RCPT TO.';

export const exitStatusText =
  'Exit status: 0 done or accept, 1 failed, 2 usage or configuration, 3 held for approval, 4 reject, 5 defer.';

export function createProgram(host: Host, streams: Pick<Streams, 'stdout' | 'stderr'>): Command {
  const program = new Command('rollcall')
    .description(description)
    .version(readVersion(), '-V, --version', 'print the version')
    .option('-c, --config <file>', `the configuration; default: ${defaultConfigFiles.join(', then ')}`)
    .option('--json', 'print the answer as JSON')
    .helpOption('-h, --help', 'explain a command')
    .addHelpText('after', `\n${exitStatusText}`)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .showSuggestionAfterError(true)
    .exitOverride();
  registerServices(program, host);
  registerSync(program, host);
  registerUpload(program, host);
  registerRuns(program, host);
  registerShow(program, host);
  registerSettle(program, host);
  registerCheck(program, host);
  registerStats(program, host);
  registerSnippet(program, host);
  registerExport(program, host);
  registerSource(program, host);
  registerDoctor(program, host);
  registerConfig(program, host);
  registerToken(program, host);
  registerVersion(program, host);
  return program;
}
