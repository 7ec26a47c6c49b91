/** What `serve` prints when everything is up: where each door is, and a line to try for each. Pure. */
import type { EdgeName } from '../config/edges/edges.js';
import type { Door, ReadyMessage } from './lifecycle.js';

export interface BannerOptions {
  readonly configPath: string;
  /** Of each process: doors of two processes may have one name. */
  readonly ready: readonly Pick<ReadyMessage, 'process' | 'doors'>[];
  /** A configured domain to ask about; undefined when there is none. */
  readonly domain: string | undefined;
  /** How the command is called here: `rollcall`, `node dist/main.js`. */
  readonly command: string;
}

interface Entry {
  readonly name: string;
  readonly where: string;
  /** Absent: nothing that a person could type. */
  readonly line?: string | undefined;
}

export function bannerLines({ configPath, ready, domain = 'example.com', command }: BannerOptions): string[] {
  const nobody = `nobody@${domain}`;
  const entries: Entry[] = [
    ...ready.flatMap(({ process: part, doors }) =>
      doors.map((door) => (part === 'control' ? controlEntry(door) : edgeEntry(door, nobody))),
    ),
    {
      name: 'why',
      where: 'the verdict for one address, and the reasons',
      line: `${command} -c ${quoted(configPath)} check ${nobody}`,
    },
  ];
  const width = Math.max(7, ...entries.map(({ name }) => name.length));
  return [
    '',
    `Rollcall is up (${configPath}).`,
    ...entries.flatMap((entry) => ['', ...entryLines(entry, width)]),
    '',
  ];
}

function entryLines({ name, where, line }: Entry, width: number): string[] {
  const place = `  ${name.padEnd(width)} ${where}`;
  return line === undefined ? [place] : [place, `${' '.repeat(width + 3)}${line}`];
}

/** Its one door is called `http` too, as the section is. */
function controlEntry({ address }: Door): Entry {
  return { name: 'control', where: url(address), line: curl(address, '/readyz') };
}

function edgeEntry({ name, address }: Door, recipient: string): Entry {
  const line = tries[name]?.(address, recipient);
  return { name, where: name === 'http' ? url(address) : address, line };
}

type Try = (address: string, recipient: string) => string | undefined;

/** A door that is missing here does not compile. */
const tries: Readonly<Record<string, Try>> = {
  smtp: trySmtp,
  proxy: trySmtp,
  policy: (address, recipient) =>
    send(`request=smtpd_access_policy\\nprotocol_state=RCPT\\nrecipient=${recipient}\\n\\n`, address),
  socketmap: (address, recipient) => send(netstring(`recipients ${recipient}`), address),
  tcp: (address, recipient) => send(`get ${recipient}\\n`, address),
  readsocket: (address, recipient) => send(`${recipient}\\n`, address),
  http: (address, recipient) => curl(address, `/v1/verdict?recipient=${recipient}`),
  // binary: only a mail server speaks it
  milter: () => undefined,
} satisfies Record<EdgeName, Try>;

/** QUIT ends the connection, so there is time for the next hop of the proxy. */
function trySmtp(address: string, recipient: string): string {
  return send(`EHLO me\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<${recipient}>\\r\\nQUIT\\r\\n`, address, 10);
}

/** `text` as `printf` reads it: a configured domain is an A-label, so it has nothing to escape. Waits so many seconds. */
function send(text: string, address: string, seconds = 1): string {
  return `printf '${text}' | nc -w ${seconds} ${ncTarget(address)}`;
}

function netstring(content: string): string {
  return `${content.length}:${content},`;
}

function url(address: string): string {
  return address.startsWith('unix:') ? address : `http://${address}`;
}

function curl(address: string, target: string): string {
  if (!address.startsWith('unix:')) return `curl -s ${quoted(url(address) + target)}`;
  return `curl -s --unix-socket ${quoted(address.slice(5))} ${quoted(`http://localhost${target}`)}`;
}

/** `127.0.0.1 2525`, `::1 2525`, `-U /run/x.sock`. */
function ncTarget(address: string): string {
  if (address.startsWith('unix:')) return `-U ${quoted(address.slice(5))}`;
  const colon = address.lastIndexOf(':');
  return `${address.slice(0, colon).replace(/^\[|\]$/g, '')} ${address.slice(colon + 1)}`;
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
