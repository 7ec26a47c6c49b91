/**
 * `rollcall source test SOURCE`: tries a source out, shows what it found, and says what would go wrong. Changes nothing and
 * writes nothing: neither run nor list.
 */
import type { Command } from 'commander';
import type { ProbeReport } from '../source/probe.js';
import type { Context } from './context.js';
import type { Host } from './host.js';
import { interruptible } from './interrupt.js';
import { probeLines } from './source-test-text.js';
import { exitStatus } from './status.js';

export function registerSource(program: Command, host: Host): void {
  program
    .command('source')
    .summary('try out a source')
    .description('Commands about one source of lists.')
    .command('test')
    .summary('try a source out, and say what would go wrong')
    .description(
      'Connects to the source, shows as whom, what it is, ten objects with their addresses and how many there are, tries ' +
        'paging, and says what would go wrong in a run. Changes nothing. Exit status 1: a run would fail, or not count ' +
        'as complete.',
    )
    .argument('<source>', 'name of the source, as in the configuration')
    .action((source: string, _options: object, command: Command) =>
      host.run(command, (context) => testSource(context, source)),
    );
}

async function testSource(context: Context, name: string): Promise<number> {
  const { config } = await context.load();
  const { listSourceOf, sourceOf } = await import('../compose/sources/sources.js');
  const { kind } = listSourceOf(config, name);
  const source = sourceOf(config, name);
  const report = await interruptible(async (signal): Promise<ProbeReport> => {
    try {
      if (source.probe !== undefined) return await source.probe({ signal });
      const { probeByReading } = await import('../source/probe-read.js');
      return await probeByReading(source, signal);
    } catch (error) {
      return await failedProbe(error, signal);
    } finally {
      await source.close?.();
    }
  });
  const errors = report.findings.filter(({ level }) => level === 'error').length;
  context.answer({ source: name, kind, ok: errors === 0, ...report, estimate: report.estimate ?? null }, () =>
    probeLines(name, kind, report),
  );
  return errors === 0 ? exitStatus.done : exitStatus.failed;
}

/** What the source itself says went wrong is an answer; anything else is not. */
async function failedProbe(error: unknown, signal: AbortSignal): Promise<ProbeReport> {
  const { asRollcallError } = await import('../errors.js');
  const known = asRollcallError(error);
  if (signal.aborted || (known.code !== 'source' && known.code !== 'input')) throw error;
  const { probeFailed } = await import('../source/probe-read.js');
  return probeFailed(known, known.hint);
}
