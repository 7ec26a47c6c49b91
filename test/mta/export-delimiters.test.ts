/** Files for several domains that take subaddresses apart at different characters: the snippet's lines keep them apart. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim } from '../support/exim.js';
import { haveOpensmtpd, startOpensmtpd } from '../support/opensmtpd.js';
import { havePostfix, startPostfix } from '../support/postfix.js';
import { createRollcall, type CliResult, type Rollcall } from '../support/rollcall.js';
import { rcpt } from './scenario.js';
import { snippetOf } from './snippets.js';

const people = ['mary-jane@a.example', 'person@a.example', 'person@b.example', 'odd+one@b.example'];

async function house(
  format: string,
  delimiters: Readonly<Record<string, readonly string[]>>,
): Promise<{ rollcall: Rollcall; file: string; exported: CliResult; end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-export-'));
  chmodSync(folder, 0o755);
  const file = join(folder, 'recipients');
  const domain = { mode: 'enforce', sources: ['staff'] };
  const rollcall = createRollcall({
    domains: Object.fromEntries(
      Object.entries(delimiters).map(([name, subaddress]) => [name, { ...domain, subaddress }]),
    ),
    sources: { staff: { kind: 'csv', path: 'staff.csv' } },
    exports: { edge: { format, path: file } },
  });
  mkdirSync(rollcall.folder, { recursive: true });
  const rows = people.filter((name) => Object.keys(delimiters).some((at) => name.endsWith(`@${at}`)));
  writeFileSync(join(rollcall.folder, 'staff.csv'), `email\n${rows.join('\n')}\n`);
  const { status, stdout, stderr } = await rollcall.cli(['sync', 'staff']);
  expect(status, `${stdout}${stderr}`).toBe(0);
  const exported = await rollcall.cli(['export']);
  if (exported.status === 0) chmodSync(file, 0o644);
  const end = async () => {
    await rollcall.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  return { rollcall, file, exported, end };
}

const differing = { 'a.example': ['+'], 'b.example': ['-'] };

describe('files of domains with different delimiters', () => {
  const defer = deferred();

  it.skipIf(!haveExim)(
    'Exim cuts at those of the domain',
    async () => {
      const { rollcall, exported, end } = await house('lsearch', differing);
      defer(end);
      expect(exported.status, exported.stdout).toBe(0);
      const files = await snippetOf(rollcall, 'exim', 'export');
      const exim = await startExim({
        domains: ['a.example', 'b.example'],
        main: files['exim.conf: main'] ?? [],
        acl: files['exim.conf: acl'] ?? [],
      });
      defer(() => exim.stop());
      for (const known of [
        'mary-jane+news@a.example',
        'person+x@A.example',
        'person-x@b.example',
        'odd+one-x@b.example',
      ])
        expect(await rcpt(exim.port, known), exim.log()).toMatch(/^250 /);
      for (const unknown of [
        'mary+x@a.example',
        'person-x@a.example',
        'odd-x@b.example',
        'person+x@b.example',
      ])
        expect(await rcpt(exim.port, unknown), exim.log()).toMatch(/^550 /);
    },
    60_000,
  );

  it.skipIf(!havePostfix)(
    'Postfix cuts at all of them, and the export names who suffers',
    async () => {
      const { rollcall, exported, end } = await house('texthash', differing);
      defer(end);
      expect(exported.status, exported.stdout).toBe(0);
      const files = await snippetOf(rollcall, 'postfix', 'export');
      const postfix = await startPostfix({
        domains: ['a.example', 'b.example'],
        check: { lines: files['main.cf'] ?? [] },
      });
      defer(() => postfix.stop());
      // this is what the warning is about
      expect(await rcpt(postfix.port, 'mary-jane+news@a.example')).toMatch(/^550 /);
      expect(await rcpt(postfix.port, 'mary-jane@a.example'), postfix.log()).toMatch(/^250 /);
      expect(JSON.stringify(exported.json)).toMatch(
        /2 addresses hold a subaddress delimiter.*mary-jane@a\.example/,
      );
      const { json } = await rollcall.cli(['snippet', 'postfix', '--door', 'export']);
      expect(JSON.stringify(json?.['notes'])).toContain('at every one of + - in all');
    },
    60_000,
  );

  it.skipIf(!haveOpensmtpd)(
    'OpenSMTPD cuts at the one character of all domains',
    async () => {
      const { rollcall, exported, end } = await house('opensmtpd', { 'a.example': ['-'], 'b.example': [] });
      defer(end);
      expect(exported.status, exported.stdout).toBe(0);
      const { 'smtpd.conf': printed = [] } = await snippetOf(rollcall, 'opensmtpd', 'export');
      const opensmtpd = await startOpensmtpd({
        domains: ['a.example', 'b.example'],
        // the rule is that of the test's own configuration
        lines: printed.filter((line) => !line.startsWith('match')),
      });
      defer(() => opensmtpd.stop());
      expect(await rcpt(opensmtpd.port, 'person-news@a.example'), opensmtpd.log()).toMatch(/^250 /);
      expect(await rcpt(opensmtpd.port, 'mary-jane@a.example'), opensmtpd.log()).toMatch(/^250 /);
      expect(await rcpt(opensmtpd.port, 'nobody-news@a.example')).toMatch(/^550 /);
    },
    60_000,
  );

  it.each([
    ['opensmtpd', { 'a.example': ['-', '+'] }, 'a.example'],
    ['opensmtpd', { 'a.example': ['+'], 'b.example': ['-'] }, 'b.example'],
    ['sendmail-access', { 'a.example': ['+'], 'b.example': ['-'] }, 'b.example'],
  ])(
    '%s refuses %j, naming %s',
    async (format, delimiters, unfit) => {
      const { exported, end } = await house(format, delimiters);
      defer(end);
      expect(exported.status).toBe(1);
      expect(exported.json).toMatchObject({ exports: [{ state: 'refused' }] });
      expect(JSON.stringify(exported.json)).toMatch(new RegExp(`"${unfit}: [^"]*delimiter`));
    },
    60_000,
  );
});
