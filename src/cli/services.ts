/** `rollcall serve`, `control` and `edge`: the processes that stay. */
import type { Command } from 'commander';
import type { Host } from './host.js';

export function registerServices(program: Command, host: Host): void {
  program
    .command('serve')
    .summary('run control and edge on this machine')
    .description('Runs control and edge as two processes, and starts one that dies again.')
    .action((_options: object, command: Command) =>
      host.run(command, async (context) => {
        const { runServe } = await import('../serve.js');
        return await runServe({ configPath: context.configFile() });
      }),
    );
  program
    .command('control')
    .summary('run the schedules, syncs and HTTP')
    .description('Runs the schedules and syncs, publishes the list to the edges, and answers HTTP.')
    .action((_options: object, command: Command) =>
      host.run(command, async (context) => {
        const { runControl } = await import('../control.js');
        return await runControl({ configPath: context.configFile() });
      }),
    );
  program
    .command('edge')
    .summary('run the doors to mail servers')
    .description('Answers mail servers: the smtp and policy edges. Needs no control to keep answering.')
    .action((_options: object, command: Command) =>
      host.run(command, async (context) => {
        const { runEdge } = await import('../edge.js');
        return await runEdge({ configPath: context.configFile() });
      }),
    );
}
