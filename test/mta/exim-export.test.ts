/**
 * Exim with files that Rollcall writes. Exim takes an error of SQLite for "not found", which would refuse everybody; so the
 * question is put so that every answer is a row, and no row means that something is wrong.
 */
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveExim, startExim, type Exim } from '../support/exim.js';
import { createExportHouse, type ExportHouse } from './export-house.js';
import { rcpt, tempfail } from './scenario.js';

/** The address as it was asked for, and without a subaddress. */
const full = '${lc:$local_part@$domain}';
const base = '${lc:${sg{$local_part}{\\N^([^+]+)\\+.*$\\N}{\\$1}}@$domain}';

const lookups = {
  lsearch: (file: string) =>
    `\${lookup{${full}}lsearch{${file}}{$value}{\${lookup{${base}}lsearch{${file}}{$value}{unknown}}}}`,
  sqlite: (file: string) =>
    `\${lookup sqlite,file=${file} {SELECT coalesce(` +
    `(SELECT word FROM recipient WHERE address='\${quote_sqlite:${full}}'), ` +
    `(SELECT word FROM recipient WHERE address='\${quote_sqlite:${base}}'), 'unknown')}{$value}{error}}`,
};

/** For the ACL of RCPT, after the check that we relay for the domain. */
function acl(lookup: string): string[] {
  return [
    'warn',
    `  set acl_m_rollcall = ${lookup}`,
    'deny',
    '  condition = ${if eq{$acl_m_rollcall}{unknown}}',
    '  message = 5.1.1 No such mailbox here',
    'defer',
    '  !condition = ${if eq{$acl_m_rollcall}{known}}',
    '  message = 4.2.1 Mailbox not available at the moment',
  ];
}

describe.skipIf(!haveExim).each(['lsearch', 'sqlite'] as const)(
  'Exim with %s written by rollcall export',
  (format) => {
    const defer = deferred();
    let house: ExportHouse;
    let exim: Exim;
    const ask = (recipient: string) => rcpt(exim.port, recipient);

    beforeAll(async () => {
      house = createExportHouse(format);
      defer(() => house.remove());
      exim = await startExim({ domains: ['example.com'], acl: acl(lookups[format](house.file)) });
      defer(() => exim.stop());
    }, 60_000);

    it('defers everybody before there is a file', async () => {
      expect(await ask('person@example.com'), exim.log()).toMatch(tempfail);
      // Exim itself makes an empty database where it finds none
      rmSync(house.file, { force: true });
    });

    it('takes the known and refuses the unknown at RCPT, with no Rollcall running', async () => {
      await house.list(['person', 'person2', 'person3', 'große', 'ärzte', "o'neill"]);
      await house.exportWell();
      expect(await ask('nobody@example.com'), exim.log()).toMatch(/^550 5\.1\.1 /);
      for (const known of [
        'person',
        'person+news',
        'PERSON',
        'postmaster',
        '"person"',
        'ärzte',
        'Ärzte',
        'a\u0308rzte',
        "o'neill",
      ])
        expect(await ask(`${known}@example.com`), `${known}: ${exim.log()}`).toMatch(/^250 /);
    });

    it('sees a new file at once: defers who was removed lately, takes somebody new', async () => {
      await house.list(['person', 'person2', 'newcomer', 'große', 'ärzte', "o'neill"]);
      await house.exportWell();
      expect(await ask('person3@example.com'), exim.log()).toMatch(/^45\d 4\.2\.1 /);
      expect(await ask('newcomer@example.com')).toMatch(/^250 /);
      expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
    });

    it('defers when the file cannot be read, and goes on when it is back', async () => {
      const aside = `${house.file}.aside`;
      renameSync(house.file, aside);
      expect(await ask('person@example.com'), exim.log()).toMatch(tempfail);
      expect(await ask('nobody@example.com')).toMatch(tempfail);
      renameSync(aside, house.file);
      expect(await ask('person2@example.com'), exim.log()).toMatch(/^250 /);
    });

    it.runIf(format === 'sqlite')(
      'defers while the database is locked, empty or damaged',
      async () => {
        const db = new Database(house.file);
        db.exec('BEGIN EXCLUSIVE');
        expect(await ask('person@example.com'), exim.log()).toMatch(tempfail);
        db.exec('ROLLBACK');
        db.close();
        expect(await ask('person@example.com')).toMatch(/^250 /);
        writeFileSync(house.file, 'this is no database, but a text long enough to look like one'.repeat(100));
        expect(await ask('person@example.com'), exim.log()).toMatch(tempfail);
        truncateSync(house.file);
        expect(await ask('person@example.com'), exim.log()).toMatch(tempfail);
      },
      60_000,
    );
  },
);
