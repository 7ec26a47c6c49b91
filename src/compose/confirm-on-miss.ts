/** From the configuration to `confirm`: the directories behind the lists, asked over control's socket or in control itself. */
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';
import type { LiveAnswer, LiveQuestion } from '../live/answer.js';
import { createLiveClient } from '../live/client.js';
import type { DomainTable } from '../policy/domain-table.js';
import { createConfirmOnMiss } from '../policy/miss.js';
import { createReference } from '../policy/reference.js';
import type { Confirm } from '../policy/verdict.js';
import type { Logger } from '../telemetry/log.js';
import { liveOptionsOf, livePath } from './live-options.js';

export interface ConfirmOnMiss {
  readonly confirm: Confirm;
  reload(config: Config): void;
  close(): void;
}

export interface ConfirmOnMissOptions {
  readonly config: Config;
  readonly domains: () => DomainTable;
  readonly log: Logger;
  /** For a person who looks: what is found is not claimed. */
  readonly look: boolean;
  readonly now?: () => number;
}

type AskInTime = (question: LiveQuestion, timeoutMs: number) => LiveAnswer | Promise<LiveAnswer>;

/** Asks control over its socket; without control, the lists speak alone. */
export function openConfirmOnMiss(options: ConfirmOnMissOptions): ConfirmOnMiss {
  const { log, config } = options;
  const client = createLiveClient({
    path: livePath(config.dataDir),
    onState: (state, detail) => {
      if (state === 'connected') log.info({ detail }, 'control answers again');
      else log.warn({ detail }, 'control cannot be asked: the lists speak alone');
    },
  });
  const miss = confirmOnMiss(options, client.ask);
  return {
    confirm: miss.confirm,
    reload(next) {
      miss.reload(next);
      client.forget();
    },
    close: () => client.close(),
  };
}

/** Asks by that function. */
export function confirmOnMiss(options: ConfirmOnMissOptions, ask: AskInTime): Omit<ConfirmOnMiss, 'close'> {
  const { domains, log, look, now = Date.now } = options;
  let { config } = options;
  return {
    confirm: createConfirmOnMiss({
      domains,
      isLive: (source) => liveOptionsOf(config, source) !== undefined,
      askSource: (source, address) =>
        ask({ source, address, look }, liveOptionsOf(config, source)?.timeoutMs ?? 0),
      reference: createReference,
      now,
      onFailure: (error) => log.error({ err: messageOf(error) }, 'confirm on a miss failed: the list speaks'),
    }),
    reload(next) {
      config = next;
    },
  };
}
