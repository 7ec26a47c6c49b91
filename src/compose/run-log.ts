/** How the end of a run is told in the service log: quiet when it is well, loud when a person must look. */
import type { RunRecord } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';

export function logRun(log: Logger, record: RunRecord): void {
  const { run, source, kind, state, complete, counts, reasons } = record;
  const fields = { source, run, kind, state, complete, ...counts };
  switch (state) {
    case 'failed':
    case 'refused':
      log.error({ ...fields, reasons }, `run ${state}: the list stays as it was`);
      return;
    case 'held':
    case 'partly-held':
      log.warn({ ...fields, reasons, approve: approveCommand(record) }, 'run held for approval');
      return;
    default:
      log.info(reasons.length > 0 ? { ...fields, reasons } : fields, 'run ended');
  }
}

function approveCommand({ run, planHash }: RunRecord): string {
  const hash = planHash === null ? '' : ` --hash ${planHash}`;
  return `rollcall show ${run}; rollcall approve ${run}${hash}`;
}
