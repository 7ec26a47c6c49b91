/**
 * `node scripts/check-clean.mjs`: nothing committed names the machine it was written on.
 *
 * Looks for absolute paths of build machines in every committed or about-to-be-committed file, and for `resolved` URLs in
 * any package-lock.json, which would tie every installation to one registry.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, runScript, say } from './setup.mjs';

// Written in parts, or this file would find itself.
const machinePath = new RegExp(
  ['/wo' + 'rk/', '/fa' + 'rm/', '/tmp/bash' + '_jobs'].map((path) => `(?<![\\w.@)-])${path}`).join('|'),
);

function listFiles() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return names.filter(
    (name) => name !== '' && statSync(join(root, name), { throwIfNoEntry: false })?.isFile(),
  );
}

function findings(name) {
  const pattern = name.endsWith('package-lock.json') ? /"resolved": "http/ : machinePath;
  return readFileSync(join(root, name), 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      pattern.test(line) ? [`${name}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
    );
}

await runScript(() => {
  const found = listFiles().flatMap(findings);
  for (const finding of found) say(finding);
  if (found.length === 0) return 0;
  say('\nThese lines tie the project to one machine or registry.');
  say(
    'mend: use relative paths; npm install --omit-lockfile-registry-resolved writes a lock file without URLs.',
  );
  return 1;
});
