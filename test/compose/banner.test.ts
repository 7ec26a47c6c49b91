/** The banner's lines to try, each given to a shell against the door it names. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bannerLines, type BannerOptions } from '../../src/compose/banner.js';
import { describeAddress } from '../../src/edge/bind.js';
import type { Decide } from '../../src/policy/verdict.js';
import {
  runHttp,
  runMilter,
  runPolicy,
  runProxy,
  runReadsocket,
  runSmtp,
  runSocketmap,
  runTcp,
  type Running,
} from '../edge/edges.js';
import { verdictFor } from '../edge/fake-decide.js';
import { runHop } from '../edge/fake-hop.js';

/** What this machine may lack: as much of netcat and curl as the lines use. */
const tools = {
  nc: `
const [, seconds, ...to] = process.argv.slice(2);
const socket = require('node:net').connect(to[0] === '-U' ? { path: to[1] } : { host: to[0], port: to[1] });
process.stdin.pipe(socket, { end: false });
socket.pipe(process.stdout);
socket.on('data', () => socket.setTimeout(100));
socket.setTimeout(seconds * 1000, () => socket.destroy());`,
  curl: `
const args = process.argv.slice(2);
const url = new URL(args.at(-1));
const socketPath = args[1] === '--unix-socket' ? args[2] : undefined;
const { hostname, port, pathname, search } = url;
const host = hostname.replace(/[[\\]]/g, '');
require('node:http').get({ host, port, path: pathname + search, socketPath }, (answer) => answer.pipe(process.stdout));`,
};

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-banner-'));
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(folder, name), `#!${process.execPath}\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

async function typed(line: string): Promise<string> {
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const shell = spawn('sh', ['-c', line], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return text(shell.stdout);
}

function banner(ready: BannerOptions['ready'], configPath = 'config.json'): string[] {
  return bannerLines({ configPath, ready, domain: 'example.com', command: 'rollcall' });
}

/** The line under the one of the door. */
function lineFor(name: string, { edge, address }: Running): string {
  const doors = [{ name: edge.name, address: describeAddress(address) }];
  const lines = banner([{ process: 'edge', doors }]);
  const at = lines.findIndex((line) => line.trimStart().startsWith(`${name} `));
  return lines[at + 1]?.trim() ?? '';
}

/** Knows everybody but nobody. */
const decide: Decide = ({ recipient }) =>
  verdictFor(recipient === 'nobody@example.com' ? 'unknown' : 'known');
const proxy = async (): Promise<Running> => runProxy({ decide, nextHops: [(await runHop()).target] });

describe('the line to try of a door', () => {
  it.each([
    ['smtp', () => runSmtp({ decide }), '\r\n550 5.1.1 '],
    ['proxy', proxy, '\r\n550 5.1.1 '],
    ['policy', () => runPolicy({ decide }), 'action=550 5.1.1 '],
    ['socketmap', () => runSocketmap({ decide }), '9:NOTFOUND ,'],
    ['tcp', () => runTcp({ decide }), '500 not%20found\n'],
    ['readsocket', () => runReadsocket({ decide }), '550 5.1.1 '],
    ['http', () => runHttp({ decide }), '"action":"reject"'],
  ])('%s says that nobody is nobody', async (name, run, refusal) => {
    expect(await typed(lineFor(name, await run()))).toContain(refusal);
  });

  it.each([
    ['policy', runPolicy, 'action=550 5.1.1 '],
    ['http', runHttp, '"action":"reject"'],
  ])('%s is asked on a unix socket too, whatever its path', async (name, run, refusal) => {
    const path = join(folder, `it's ${name}.sock`);
    expect(await typed(lineFor(name, await run({ decide, listen: [{ path }] })))).toContain(refusal);
  });

  it('http is asked on an IPv6 address too', () => {
    const doors = [{ name: 'http', address: '[::1]:8025' }];
    expect(banner([{ process: 'edge', doors }])).toContain(
      "          curl -s 'http://[::1]:8025/v1/verdict?recipient=nobody@example.com'",
    );
  });

  it('is not there for a milter, which a person cannot speak', async () => {
    expect(lineFor('milter', await runMilter())).toBe('');
  });
});

describe('the banner', () => {
  it('tells the http door of control from that of the edge', () => {
    const lines = banner([
      { process: 'edge', doors: [{ name: 'http', address: '127.0.0.1:8025' }] },
      { process: 'control', doors: [{ name: 'http', address: '127.0.0.1:8080' }] },
    ]);
    expect(lines.join('\n')).toContain(
      [
        '  http    http://127.0.0.1:8025',
        "          curl -s 'http://127.0.0.1:8025/v1/verdict?recipient=nobody@example.com'",
        '',
        '  control http://127.0.0.1:8080',
        '          curl -s http://127.0.0.1:8080/readyz',
      ].join('\n'),
    );
  });

  it('stands in columns, whatever the doors are called', () => {
    const doors = [
      { name: 'readsocket', address: 'unix:/run/rollcall/exim' },
      { name: 'tcp', address: '127.0.0.1:10030' },
    ];
    expect(banner([{ process: 'edge', doors }], 'my config.json')).toEqual([
      '',
      'Rollcall is up (my config.json).',
      '',
      '  readsocket unix:/run/rollcall/exim',
      "             printf 'nobody@example.com\\n' | nc -w 1 -U /run/rollcall/exim",
      '',
      '  tcp        127.0.0.1:10030',
      "             printf 'get nobody@example.com\\n' | nc -w 1 127.0.0.1 10030",
      '',
      '  why        the verdict for one address, and the reasons',
      "             rollcall -c 'my config.json' check nobody@example.com",
      '',
    ]);
  });
});
