/**
 * What must hold behind every door with every mail server: a known recipient is taken, an unknown one refused at RCPT, an
 * old list defers, and while Rollcall is stopped nobody is accepted and nobody is refused for good.
 *
 *     describeMta('Postfix with socketmap', {
 *       have: havePostfix,
 *       edges: ({ port }) => ({ socketmap: { listen: `127.0.0.1:${port}` } }),
 *       start: async ({ port }) => startPostfix({ domains: mtaDomains, check: { lines: [ … ] } }),
 *     });
 *
 * The edge keeps one port over its stops, as in life.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { createRollcall, type Rollcall, type RunningProcess } from '../support/rollcall.js';
import { connectSmtp } from '../support/smtp-client.js';

/** `example.com` has a fresh list, that of `stale.example` is out of date. */
export const mtaDomains = ['example.com', 'stale.example'] as const;
export const known = 'person@example.com';
export const unknown = 'nobody@example.com';
export const knownInStale = 'person@stale.example';
export const unknownInStale = 'nobody@stale.example';
/** From `fillLists` on, until the list is out of date for `stale.example`. */
export const staleAfterMs = 1000;

export interface MtaHouse {
  readonly rollcall: Rollcall;
  /** The loopback port of the door under test. */
  readonly port: number;
  /** Another free one, for doors that need two. */
  readonly port2: number;
}

export interface Mta {
  /** Where it takes SMTP. */
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

export interface MtaOptions {
  /** Whether the mail server is here: `requirePeer(…)`. */
  readonly have: boolean;
  /** The `edges` section. */
  readonly edges: (house: { readonly port: number; readonly port2: number }) => Record<string, unknown>;
  /** Starts the mail server, configured to ask. */
  readonly start: (house: MtaHouse) => Promise<Mta>;
  /** Replies to an unknown recipient; default: 550 5.1.1. */
  readonly refusal?: RegExp;
  /** Replies while the list is old; default: any 4xx. */
  readonly deferral?: RegExp;
  /** Seconds that the mail server takes to give up on a dead Rollcall, at most; default 30. */
  readonly patience?: number;
  /** Registers more tests about the mail server, before the one that stops Rollcall. */
  readonly more?: (ask: (recipient: string) => Promise<string>) => void;
}

export const tempfail = /^4\d\d /;

/** The reply to RCPT, or to whatever came before it if that was refused already. `address`: of the client, in 127.0.0.0/8. */
export async function rcpt(
  port: number,
  recipient: string,
  from = 'somebody@elsewhere.test',
  address?: string,
): Promise<string> {
  const client = await connectSmtp(port, '127.0.0.1', address).catch((error: unknown) =>
    String(error).replace(/^.*no greeting but: /s, ''),
  );
  if (typeof client === 'string') return client;
  try {
    for (const command of ['EHLO client.elsewhere.test', `MAIL FROM:<${from}>`]) {
      const reply = await client.ask(command);
      if (!reply.startsWith('250')) return reply;
    }
    return await client.ask(`RCPT TO:<${recipient}>`);
  } finally {
    client.close();
  }
}

export function describeMta(name: string, options: MtaOptions): void {
  describe.skipIf(!options.have)(name, () => {
    const defer = deferred();
    const patience = (options.patience ?? 30) * 1000;
    let rollcall: Rollcall;
    let edge: RunningProcess;
    let mta: Mta;

    beforeAll(async () => {
      const [port, port2] = [await freePort(), await freePort()];
      rollcall = createRollcall(mtaConfig(options.edges({ port, port2 })));
      defer(() => rollcall.remove());
      await fillLists(rollcall);
      const stale = delay(staleAfterMs);
      edge = await rollcall.start('edge');
      mta = await options.start({ rollcall, port, port2 });
      defer(() => mta.stop());
      await stale;
    }, 60_000);

    const ask = (recipient: string) => rcpt(mta.port, recipient);

    it('takes a known recipient and refuses an unknown one at RCPT', async () => {
      expect(await ask(known), mta.log()).toMatch(/^250 /);
      expect(await ask(unknown), mta.log()).toMatch(options.refusal ?? /^550 5\.1\.1 /);
      expect(await ask('person+news@example.com')).toMatch(/^250 /);
      expect(await ask('PERSON@EXAMPLE.COM')).toMatch(/^250 /);
    });

    it('defers an unknown recipient whose list is out of date, and takes a known one', async () => {
      expect(await ask(unknownInStale), mta.log()).toMatch(options.deferral ?? tempfail);
      expect(await ask(knownInStale), mta.log()).toMatch(/^250 /);
    });

    options.more?.(ask);

    it(
      'defers everybody while Rollcall is stopped, and goes on when it is back',
      async () => {
        await edge.stop();
        // names not asked before: a mail server may remember its last answers
        for (const reply of await Promise.all(
          ['person2', 'nobody2'].map((name) => ask(`${name}@example.com`)),
        ))
          expect(reply, mta.log()).toMatch(tempfail);
        edge = await rollcall.start('edge');
        await eventually(
          () => ask('person3@example.com'),
          (reply) => reply.startsWith('250 '),
        );
        expect(await ask('nobody3@example.com'), mta.log()).toMatch(options.refusal ?? /^550 5\.1\.1 /);
      },
      60_000 + 4 * patience,
    );
  });
}

/** The configuration that the scenario is about. */
export function mtaConfig(edges: Record<string, unknown>): Record<string, unknown> {
  return {
    domains: {
      'example.com': { mode: 'enforce', sources: ['staff'] },
      'stale.example': { mode: 'enforce', sources: ['staff'], staleAfter: '1s' },
    },
    sources: { staff: { kind: 'csv', path: 'staff.csv', wildcards: 'ignore' } },
    edges,
  };
}

/** Reads the list. */
export async function fillLists(rollcall: Rollcall): Promise<void> {
  const names = ['person', 'person2', 'person3'];
  const rows = mtaDomains.flatMap((domain) => names.map((name) => `${name}@${domain}`));
  mkdirSync(rollcall.folder, { recursive: true });
  const quoted = '"""two words""@example.com"'; // as a CSV cell
  writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${[...rows, quoted].join('\n')}\n`);
  const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
  expect(status, `${stdout}${stderr}`).toBe(0);
}
