/** From the configuration to `confirm`: the mail servers that are asked about whom no list knows, and what they have said. */
import { hostname } from 'node:os';
import { formatMailbox, parseMailbox } from '../address/mailbox.js';
import { createAsker, type Asker } from '../callahead/asker.js';
import { cachePath, openCache, type Cache } from '../callahead/cache.js';
import { unanswered } from '../callahead/finding.js';
import type { SessionOptions } from '../callahead/smtp-session.js';
import type { Recipient } from '../callahead/witnesses.js';
import type { Config } from '../config/schema.js';
import type { SmtpSourceConfig } from '../config/sources/smtp.js';
import { messageOf } from '../errors.js';
import { createConfirm } from '../policy/confirm.js';
import type { DomainTable } from '../policy/domain-table.js';
import { createReference } from '../policy/reference.js';
import type { Confirm } from '../policy/verdict.js';
import type { Logger } from '../telemetry/log.js';
import { readCertificate } from './sources/certificate.js';

export interface CallAhead {
  readonly confirm: Confirm;
  /** Throws `config` when a certificate cannot be read; then everything stays as it was. */
  reload(config: Config): void;
  /** Whoever still waits is answered with a defer. */
  close(): void;
}

export interface CallAheadOptions {
  readonly config: Config;
  readonly domains: () => DomainTable;
  readonly log: Logger;
  /** Only the edge writes `callahead.db`; everybody else reads it, and asks for himself what is not in it. */
  readonly write: boolean;
  readonly now?: () => number;
}

interface Running {
  readonly asker: Asker;
  /** What it was made from. */
  readonly made: string;
}

export function openCallAhead(options: CallAheadOptions): CallAhead {
  const { log, write, domains, now = Date.now } = options;
  const cache = openCache({ path: cachePath(options.config.dataDir), write, now, log });
  let running = startAskers(options.config, new Map(), { cache, now, log });
  if (running.size > 0) cache.prepare();
  return {
    confirm: createConfirm({
      domains,
      askServer: (source, recipient) => running.get(source)?.asker.ask(recipient) ?? unanswered,
      reference: createReference,
      now,
      onFailure: (error) => log.error({ err: messageOf(error) }, 'asking ahead failed: deferred'),
    }),
    reload(config) {
      const before = running;
      running = startAskers(config, before, { cache, now, log });
      if (running.size > 0) cache.prepare();
      for (const [name, { asker }] of before) if (running.get(name)?.asker !== asker) asker.close();
    },
    close() {
      for (const { asker } of running.values()) asker.close();
      cache.close();
    },
  };
}

interface Shared {
  readonly cache: Cache;
  readonly now: () => number;
  readonly log: Logger;
}

/** One for each source of kind `smtp`; those that did not change go on with their sessions and limits. */
function startAskers(
  config: Config,
  before: ReadonlyMap<string, Running>,
  shared: Shared,
): ReadonlyMap<string, Running> {
  return new Map(
    Object.entries(config.sources).flatMap(([name, source]): [string, Running][] => {
      if (source.kind !== 'smtp') return [];
      const session = sessionOptions(name, source);
      const made = JSON.stringify({ ...source, ...session });
      const known = before.get(name);
      if (known?.made === made) return [[name, known]];
      return [[name, { asker: createAsker({ ...askerOptions(name, source), ...session, ...shared }), made }]];
    }),
  );
}

function askerOptions(name: string, source: SmtpSourceConfig) {
  const { positive, negative } = source;
  return {
    name,
    hosts: source.hosts,
    timeoutMs: source.timeout,
    positive: { refreshMs: positive.refresh, expireMs: positive.expire },
    negative: { refreshMs: negative.refresh },
    witnesses: (source.witness ?? []).flatMap(recipientOf),
    whenBlind: source.whenBlind,
    blindCheckMs: source.blindCheck,
    unknownStatuses: source.unknownStatuses,
    maxConcurrent: source.maxConcurrent,
    maxPerSecond: source.maxPerSecond,
  };
}

function recipientOf(address: string): Recipient[] {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return [];
  return [{ address: formatMailbox(parsed.mailbox), domain: parsed.mailbox.domain }];
}

/** Throws `config` when the certificate cannot be read. */
export function sessionOptions(name: string, { sender, hello, tls, ca }: SmtpSourceConfig): SessionOptions {
  return {
    sender,
    hello: hello ?? ownName(),
    tls,
    ca: ca === undefined ? undefined : readCertificate(ca, `sources.${name}.ca`),
  };
}

/** RFC 5321 §4.1.1.1: a name, or an address literal where there is none. */
function ownName(): string {
  const name = hostname();
  return /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name) ? name : '[127.0.0.1]';
}
