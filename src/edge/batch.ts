/**
 * Gathers what is to be written in one turn of the event loop, so that all sockets that were readable in it are read first.
 *
 * Waking a client that sleeps costs more than a verdict; answers that leave together wake it once. Nothing waits longer
 * than the turn that is going on.
 */
export type Batch = (job: () => void) => void;

export function createBatch(): Batch {
  let jobs: (() => void)[] = [];
  function run(): void {
    const due = jobs;
    jobs = [];
    for (const job of due) job();
  }
  return (job) => {
    if (jobs.push(job) === 1) setImmediate(run);
  };
}
