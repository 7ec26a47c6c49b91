/** What `serve` prints when everything is up: where each door is, and a line to try for each. Pure. */
import type { Door } from './lifecycle.js';

export interface BannerOptions {
  readonly configPath: string;
  readonly doors: readonly Door[];
  /** A configured domain to ask about; undefined when there is none. */
  readonly domain: string | undefined;
  /** How the command is called here: `rollcall`, `node dist/main.js`. */
  readonly command: string;
}

export function bannerLines({ configPath, doors, domain = 'example.com', command }: BannerOptions): string[] {
  const nobody = `nobody@${domain}`;
  const asks = doors.flatMap(({ name, address }) => [
    '',
    `  ${name.padEnd(7)} ${name === 'http' ? url(address) : address}`,
    `          ${tryLine(name, address, nobody)}`,
  ]);
  return [
    '',
    `Rollcall is up (${configPath}).`,
    ...asks,
    '',
    '  why     the verdict for one address, and the reasons',
    `          ${command} -c ${configPath} check ${nobody}`,
    '',
  ];
}

function tryLine(name: string, address: string, recipient: string): string {
  if (name === 'http') {
    const socket = address.startsWith('unix:')
      ? `--unix-socket ${address.slice(5)} http://localhost`
      : url(address);
    return `curl -s ${socket}/readyz`;
  }
  if (name === 'smtp') {
    return `printf 'EHLO me\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<${recipient}>\\r\\nQUIT\\r\\n' | nc -w 1 ${target(address)}`;
  }
  return `printf 'request=smtpd_access_policy\\nprotocol_state=RCPT\\nrecipient=${recipient}\\n\\n' | nc -w 1 ${target(address)}`;
}

function url(address: string): string {
  return address.startsWith('unix:') ? address : `http://${address}`;
}

/** `127.0.0.1 2525`, `::1 2525`, `-U /run/x.sock`. */
function target(address: string): string {
  if (address.startsWith('unix:')) return `-U ${address.slice(5)}`;
  const colon = address.lastIndexOf(':');
  return `${address.slice(0, colon).replace(/^\[|\]$/g, '')} ${address.slice(colon + 1)}`;
}
