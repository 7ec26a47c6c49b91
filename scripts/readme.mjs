/**
 * The "real output" of README.md: runs what the page shows, with the configuration and the list the page names, and puts
 * what came out between the page's markers.
 *
 * Promises the same text on every machine: ports, times, references and paths are made alike, nothing else. Throws when
 * README.md has no markers, or when a command ends otherwise than the page says.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const main = join(root, 'dist/main.js');
const [begin, end] = ['<!-- output: written by npm run docs -->', '<!-- end of output -->'];

/** README.md as it should be: its own text, with the output of today's program. */
export async function makeReadme() {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${begin} … ${end}`);
  const config = /```json\n([\s\S]*?)```/.exec(text)?.[1];
  if (config === undefined) throw new Error('README.md shows no configuration');
  return `${text.slice(0, from + begin.length)}\n\n\`\`\`console\n${await run(config)}\`\`\`\n\n${text.slice(to)}`;
}

async function run(config) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-readme-'));
  try {
    copyFileSync(join(root, 'examples/people.csv'), join(folder, 'people.csv'));
    // the doors of the page may be taken here, and the greeting names the machine
    const anywhere = config.replace(/"127\.0\.0\.1:2525"/, '"127.0.0.1:0", "hostname": "mx.example.com"');
    writeFileSync(join(folder, 'config.json'), anywhere.replace(/:10040"/, ':0"'));
    const list = readFileSync(join(folder, 'people.csv'), 'utf8');
    const parts = [
      command(folder, 'rollcall sync people', 0),
      await conversation(folder, ['grace.hopper+lists@example.com', 'nobody@example.com']),
      command(folder, 'head -5 people.csv | rollcall upload people -', 3, firstLines(list, 5)),
    ];
    return parts.join('\n').replaceAll(`${folder}/`, '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function command(folder, line, status, input = '') {
  const args = line.replace(/^.*rollcall /, '').split(' ');
  const result = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', input });
  if (result.status !== status)
    throw new Error(`${line} ended with ${result.status}, not ${status}: ${result.stdout}${result.stderr}`);
  return `$ ${line}\n${alike(result.stdout)}`;
}

/** An SMTP session with the edge, as a person with telnet would see it. */
async function conversation(folder, recipients) {
  const edge = fork(main, ['edge'], { cwd: folder, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  try {
    const [{ doors }] = await once(edge, 'message');
    const port = doors.find(({ name }) => name === 'smtp').address.split(':')[1];
    const commands = ['HELO mta.test', 'MAIL FROM:<>', ...recipients.map((to) => `RCPT TO:<${to}>`), 'QUIT'];
    return `$ telnet 127.0.0.1 2525\n${alike(await talk(Number(port), commands))}`;
  } finally {
    edge.kill();
    if (edge.exitCode === null) await once(edge, 'exit');
  }
}

async function talk(port, commands) {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1').setTimeout(10_000);
  socket.on('timeout', () => socket.destroy(new Error('the smtp edge does not answer')));
  const waiting = [...commands];
  let transcript = '';
  let reply = '';
  for await (const chunk of socket) {
    reply += chunk;
    // the last line of a reply has a space after its code (RFC 5321 §4.2.1)
    if (!/^\d{3} .*\r\n$/m.test(reply)) continue;
    transcript += reply.replaceAll('\r', '');
    reply = '';
    const next = waiting.shift();
    if (next === undefined) break;
    transcript += `${next}\n`;
    socket.write(`${next}\r\n`);
  }
  return transcript;
}

function firstLines(text, count) {
  return `${text.split('\n').slice(0, count).join('\n')}\n`;
}

/** What differs from run to run, made alike. All of it stands at ends of lines, so no column moves. */
function alike(text) {
  return text
    .replace(/\(ref [0-9A-Z]{8}\)/g, '(ref 7QZK3MXA)')
    .replace(/\bin \d+ (?:s|min)$/gm, 'in 0 s')
    .replace(/last mail (?:just now|\d+ (?:s|min) ago)$/gm, 'last mail 1 s ago');
}
