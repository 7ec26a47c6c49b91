/** Joins commander to the commands: each registers itself here and answers with an exit status. */
import type { Command } from 'commander';
import { createContext, type Context, type GlobalOptions, type Streams } from './context.js';
import { exitStatus } from './status.js';

export interface Host {
  /** Runs the action of a command and keeps its exit status. */
  run(command: Command, action: (context: Context) => Promise<number>): Promise<void>;
  status(): number;
}

export function createHost(streams: Streams): Host {
  let status: number = exitStatus.done;
  return {
    run: async (command, action) => {
      status = await action(createContext(command.optsWithGlobals<GlobalOptions>(), streams));
    },
    status: () => status,
  };
}
