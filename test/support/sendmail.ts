/**
 * A private, real Sendmail for tests: own configuration made by m4, queue, hosts file and loopback port. It relays for the
 * test domains and asks the product about their recipients, as the lines of its mc file say.
 *
 *     const sendmail = await startSendmail({ domains: ['example.com'], milter: `inet:${port}@127.0.0.1` });
 *     ...
 *     await sendmail.stop();
 *
 * Needs root.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { havePrivateServer, peerPath, privateFolder, runPeer, startPrivateServer } from './private-server.js';

export const haveSendmail: boolean = havePrivateServer('Sendmail', 'sendmail', [
  'usr/libexec/sendmail/sendmail',
  'usr/bin/m4',
]);

export interface SendmailOptions {
  readonly domains: readonly string[];
  /** Lines of the mc file before `MAILER`, as a person would paste them. */
  readonly mc?: readonly string[];
  /** A milter, `inet:PORT@127.0.0.1`: INPUT_MAIL_FILTER with F=T. */
  readonly milter?: string;
  /** Lines after `LOCAL_CONFIG`. */
  readonly localConfig?: readonly string[];
  /** Lines after `LOCAL_RULESETS`; the two sides of a rule apart by tabs. */
  readonly localRulesets?: readonly string[];
  /** The loopback port that mail goes to; default: one where nobody listens. */
  readonly nextHop?: number;
}

export interface Sendmail {
  readonly port: number;
  readonly folder: string;
  /** What it has logged, for the message of a failing test. */
  log(): string;
  stop(): Promise<void>;
}

export async function startSendmail(options: SendmailOptions): Promise<Sendmail> {
  const folder = privateFolder('sendmail');
  const port = await freePort();
  mkdirSync(join(folder, 'mqueue'), { mode: 0o700 });
  const files = {
    'sendmail.mc': sendmailMc(folder, port, options),
    'service.switch': 'hosts files\naliases files\n',
    helpfile: '',
    statistics: '',
    // without a qualified name of this machine it sleeps for a minute before it listens
    hosts: `127.0.0.1 ${hostname()}.edge.test ${hostname()} localhost\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o644 });
  const config = join(folder, 'sendmail.cf');
  const m4 = ['usr/bin/m4', `-D_CF_DIR_=${peerPath('sendmail', 'usr/share/sendmail/cf/')}`, 'sendmail.mc'];
  writeFileSync(config, await runPeer('sendmail', m4, folder), { mode: 0o644 });
  const server = await startPrivateServer({
    peer: 'sendmail',
    folder,
    port,
    // -bD: in the foreground; -X: the dialogue, as there is no syslog to read
    command: ['usr/libexec/sendmail/sendmail', '-C', config, '-X', join(folder, 'dialogue'), '-bD'],
    mounts: [[join(folder, 'hosts'), '/etc/hosts']],
    logFiles: [join(folder, 'dialogue')],
  });
  return { port, folder, ...server };
}

function sendmailMc(folder: string, port: number, options: SendmailOptions): string {
  const { domains, mc = [], milter, localConfig = [], localRulesets = [], nextHop = 1 } = options;
  return `${[
    `include(\`${peerPath('sendmail', 'usr/share/sendmail/cf/m4/cf.m4')}')`,
    "OSTYPE(`linux')",
    ...Object.entries({
      confPID_FILE: `${folder}/pid`,
      QUEUE_DIR: `${folder}/mqueue`,
      STATUS_FILE: `${folder}/statistics`,
      HELP_FILE: `${folder}/helpfile`,
      ALIAS_FILE: '',
      confCW_FILE: '',
      confSERVICE_SWITCH_FILE: `${folder}/service.switch`,
      confDOMAIN_NAME: 'mx.edge.test',
      confDELIVERY_MODE: 'q',
      confTO_IDENT: '0',
      confMIN_FREE_BLOCKS: '0',
      confQUEUE_LA: '200',
      confREFUSE_LA: '300',
      confMAX_DAEMON_CHILDREN: '0',
      confBAD_RCPT_THROTTLE: '0',
      confMAX_RCPTS_PER_MESSAGE: '100000',
      confTRUSTED_USER: 'root',
      SMART_HOST: 'relay:[127.0.0.1]',
      RELAY_MAILER_ARGS: `TCP $h ${nextHop}`,
    }).map(([name, value]) => `define(\`${name}', \`${value}')`),
    "FEATURE(`accept_unresolvable_domains')",
    "FEATURE(`no_default_msa')",
    "FEATURE(`nocanonify')",
    ...domains.map((domain) => `RELAY_DOMAIN(\`${domain}')`),
    `DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA, M=E')`,
    ...(milter === undefined ? [] : [milterLine(milter)]),
    ...mc,
    "MAILER(`smtp')",
    ...section('LOCAL_CONFIG', localConfig),
    ...section('LOCAL_RULESETS', localRulesets),
  ].join('\n')}\n`;
}

/** F=T: without an answer the sender is told to come again. Without it, Sendmail goes on as if there were no milter. */
function milterLine(address: string): string {
  return `INPUT_MAIL_FILTER(\`rollcall', \`S=${address}, F=T, T=C:5s;S:10s;R:10s;E:30s')`;
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [name, ...lines];
}
