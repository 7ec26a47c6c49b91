/** The csv source: what lists people really have, and how the rest is refused. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { fc } from '../support/property.js';
import { afterAll, describe, expect, it } from 'vitest';
import { RollcallError } from '../../src/errors.js';
import { openCsvFile } from '../../src/source/csv/csv-source.js';
import { readList as read } from './read-list.js';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-csv-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('lists as they come', () => {
  const both = ['ann@example.com', 'bob@example.com'];
  const annAliases = ['ann@example.com', 'a@example.com', 'an@example.com'];

  it.each<[string, string | Buffer, readonly string[]]>([
    ['a header and one column', 'email\nann@example.com\nbob@example.com\n', both],
    ['one address a line, no header', 'ann@example.com\nbob@example.com\n', both],
    ['no line break at the end', 'email\nann@example.com\nbob@example.com', both],
    ['a byte order mark', '\ufeffE-Mail\r\nann@example.com\r\nbob@example.com\r\n', both],
    ['mixed line ends and empty lines', 'email\r\nann@example.com\n\n\r\nbob@example.com\r', both],
    ['semicolons', 'Name;E-Mail Address\nAnn;ann@example.com\nBob;bob@example.com\n', both],
    ['tabs', 'name\temail\nAnn\tann@example.com\nBob\tbob@example.com\n', both],
    ['bars', 'name|MAIL\nAnn|ann@example.com\nBob|bob@example.com\n', both],
    ['a sep= line', 'sep=;\nname;email\nAnn;ann@example.com\nBob;bob@example.com\n', both],
    [
      'a #TYPE line',
      '#TYPE Selected\n"Name","PrimarySmtpAddress"\n"Ann","ann@example.com"\n"Bob","bob@example.com"\n',
      both,
    ],
    [
      'quotes, with delimiters and line breaks inside',
      'name,email\n"Doe, Ann\r\n(x)",ann@example.com\n"B ""o"" b",bob@example.com\n',
      both,
    ],
    [
      'names around the addresses',
      'email\nAnn Doe <ann@example.com>\n"""Doe, Bob"" <bob@example.com>"\n',
      both,
    ],
    ['mailto:', 'email\nmailto:ann@example.com\nMAILTO:bob@example.com\n', both],
    ['white space', 'email\n  ann@example.com \n\tbob@example.com\n', both],
    ['UTF-16 with a mark', Buffer.from('\ufeffemail\nann@example.com\nbob@example.com\n', 'utf16le'), both],
    ['a Postfix map', 'ann@example.com OK\nbob@example.com\tOK\n', both],
    ['a header in no language we know', 'Wer;Wohin\nAnn;ann@example.com\nBob;bob@example.com\n', both],
    ['trailing empty cells', 'email,name\nann@example.com,Ann,,\nbob@example.com,Bob,\n', both],
    ['empty rows of a spreadsheet', 'email,name\nann@example.com,Ann\n,\n , \nbob@example.com,\n', both],
    [
      'Google’s suffixes',
      'First Name [Required],Email Address [Required]\nAnn,ann@example.com\nBob,bob@example.com\n',
      both,
    ],
    [
      'aliases in one cell, by semicolons',
      'email,aliases\nann@example.com,a@example.com;an@example.com\n',
      annAliases,
    ],
    ['by commas in quotes', 'email,aliases\nann@example.com,"a@example.com, an@example.com"\n', annAliases],
    ['by bars', 'email,aliases\nann@example.com,a@example.com|an@example.com\n', annAliases],
    ['by spaces', 'email,aliases\nann@example.com,a@example.com an@example.com\n', annAliases],
    [
      'by plus and prefix',
      'mail,ProxyAddresses\nann@example.com,smtp:a@example.com+SIP:x@example.com+smtp:an@example.com\n',
      annAliases,
    ],
    [
      'in several columns',
      'email,alias1,alias_2\nann@example.com,a@example.com,an@example.com\n',
      annAliases,
    ],
    [
      'in numbered columns',
      'primaryEmail,aliases.0,aliases.1\nann@example.com,a@example.com,an@example.com\n',
      annAliases,
    ],
    ['after the primary one', 'email\nann@example.com;a@example.com;an@example.com\n', annAliases],
    ['all in a row without header', 'ann@example.com,Ann,Doe,a@example.com,an@example.com\n', annAliases],
    [
      'typed, with names that hold spaces',
      'mail,proxyAddresses\nann@example.com,SMTP:ann@example.com;smtp:a@example.com;X500:/o=Ex Org/cn=ann;smtp:an@example.com\n',
      annAliases,
    ],
    ['with a quoted local part', 'email\n"""john smith""@example.com"\n', ['"john smith"@example.com']],
    ['with UTF-8', 'email\nbjörn@bücher.example\n', ['björn@bücher.example']],
  ])('reads %s', async (_, list, expected) => {
    const { addresses, report } = await read(list, { mayLack: ['aliases', 'groups'] });
    expect(addresses).toEqual(expected);
    expect(report).toMatchObject({ complete: true, reasons: [] });
  });

  it('gives each row an id, a place, and its columns', async () => {
    const { entries } = await read('Name,Email,Aliases\nAnn,ann@example.com,a@example.com\n');
    expect(entries).toEqual([
      {
        id: 'ann@example.com',
        kind: 'other',
        disabled: false,
        internalOnly: false,
        where: 'line 2',
        addresses: [
          { value: 'ann@example.com', attribute: 'Email' },
          { value: 'a@example.com', attribute: 'Aliases' },
        ],
      },
    ]);
  });

  it('takes the primary address from SMTP: when only proxy addresses are given', async () => {
    const { entries } = await read('ProxyAddresses\nsmtp:a@example.com;SMTP:ann@example.com\n');
    expect(entries[0]?.id).toBe('ann@example.com');
  });

  it('does not take Exchange’s Alias for an address, nor a user principal name beside one', async () => {
    const list = 'Alias,PrimarySmtpAddress,UserPrincipalName\nann,ann@example.com,ann@internal.example\n';
    const { addresses, problems } = await read(list);
    expect(addresses).toEqual(['ann@example.com']);
    expect(problems).toEqual([]);
    expect((await read('userPrincipalName\nann@example.com\n')).addresses).toEqual(['ann@example.com']);
  });

  it.each([
    ['disabled', 'yes', true],
    ['disabled', 'no', false],
    ['accountEnabled', 'False', true],
    ['accountEnabled', 'True', false],
  ])('reads the switch %s = %s', async (name, value, disabled) => {
    const list = (kind: string): string => `email,${name},kind\nann@example.com,${value},${kind}\n`;
    const respecting = { respectDisabled: true };
    expect((await read(list('UserMailbox'), respecting)).entries[0]).toMatchObject({
      disabled,
      kind: 'user',
    });
    expect((await read(list('SharedMailbox'), respecting)).entries[0]).toMatchObject({
      disabled: false,
      kind: 'mailbox',
    });
    expect((await read(list('UserMailbox'))).entries[0]?.disabled).toBe(false);
  });

  it('uses the columns that are named', async () => {
    const columns = { address: ['Wohin'], aliases: ['auch', 'Und'], id: 'nr' };
    const list =
      'NR;wohin;Auch;und;email\n7;ann@example.com;a@example.com;an@example.com;private@example.net\n';
    const { addresses, entries } = await read(list, { columns });
    expect(addresses).toEqual(annAliases);
    expect(entries[0]?.id).toBe('7');
  });

  it('says which columns it used, and that aliases have none', async () => {
    const { report } = await read('email\nann@example.com\n');
    expect(report.description).toBe('lists.csv: 1 rows, addresses from email, no column of aliases');
  });
});

describe('rows that cannot be used', () => {
  it.each<[string, string, { line: number; reason: RegExp }[]]>([
    ['no address', 'email,name\nann@example.com,A\n,Bob\n', [{ line: 3, reason: /no address/ }]],
    ['no @', 'email\nann@example.com\nbob\n', [{ line: 3, reason: /"bob" is not an address/ }]],
    [
      'a broken alias',
      'email,aliases\nann@example.com,a@;x@example.com\n',
      [{ line: 2, reason: /"a@" is not/ }],
    ],
    [
      'a whole domain',
      'ann@example.com\nbob@example.com\n@example.com\n*@example.com\n',
      [3, 4].map((line) => ({ line, reason: /whole domain/ })),
    ],
    [
      'too few cells',
      'email,name\nann@example.com\n',
      [{ line: 2, reason: /1 cells, but the header has 2/ }],
    ],
    [
      'too many cells',
      'email,name\nann@example.com,Doe, Ann\n',
      [{ line: 2, reason: /3 cells, but the header has 2/ }],
    ],
    [
      'after quoted line breaks',
      'email,name\nann@example.com,"a\r\nb\nc"\r\n\r\nbob,B\n',
      [{ line: 6, reason: /"bob"/ }],
    ],
    ['an unknown header', 'Wohin\nann@example.com\n', [{ line: 1, reason: /no name in it is known/ }]],
  ])('are reported with their line: %s', async (_, list, expected) => {
    const { problems, addresses } = await read(list);
    expect(addresses).toContain('ann@example.com');
    expect(problems.map(({ where }) => where)).toEqual(expected.map(({ line }) => `line ${String(line)}`));
    for (const [index, { reason }] of expected.entries()) expect(problems[index]?.reason).toMatch(reason);
  });

  it('keeps every address of a row that has slipped', async () => {
    const { addresses } = await read('name,email,aliases\nDoe, Ann,ann@example.com,a@example.com\n');
    expect(addresses).toEqual(['ann@example.com', 'a@example.com']);
  });

  it('does not count a list as complete whose last row is cut off', async () => {
    const cut = await read('email,name\nann@example.com,Ann\nbob@exa');
    expect(cut.report.complete).toBe(false);
    expect(cut.report.reasons.join()).toMatch(/cut off/);
    expect((await read('email,name\nann@example.com,Ann\nbob@exa\n')).report.complete).toBe(true);
  });

  it('does not count a list as complete with more bad rows than allowed', async () => {
    const list = 'email\nann@example.com\nbob@example.com\ncarl\n';
    expect((await read(list, { maxBadPercent: 34 })).report).toMatchObject({ complete: true });
    const { report } = await read(list, { maxBadPercent: 33 });
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toMatch(/1 of 3 rows have no usable address, more than the 33 %/);
  });

  it('does not count a list as complete where a program wrote a type for the aliases', async () => {
    const list =
      'email,EmailAddresses\nann@example.com,System.Collections.ArrayList\nbob@example.com,#NAME?\n';
    const { report, addresses } = await read(list);
    expect(addresses).toHaveLength(2);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toMatch(/2 rows with what a program wrote instead of addresses/);
  });
});

describe('lists that are refused whole', () => {
  const utf16 = Buffer.from('email\nann@example.com\n', 'utf16le');
  it.each<[string, string | Buffer, RegExp]>([
    ['empty', '', /the list is empty/],
    ['only a header', 'email,name\n', /no usable address/],
    ['nothing usable', 'email\nbob\ncarl\n', /no usable address/],
    ['a zip archive', Buffer.from('504b030414000600', 'hex'), /spreadsheet/],
    ['an old spreadsheet', Buffer.from('d0cf11e0a1b11ae100', 'hex'), /\.xls/],
    ['a PDF', '%PDF-1.7\n', /PDF/],
    ['gzip', gzipSync('email\nann@example.com\n'), /gzip/],
    ['a web page', '\n<!DOCTYPE html><p>Contact ann@example.com', /web page/],
    ['an error page', '<html><body>502 ann@example.com</body></html>', /web page/],
    ['XML', '<?xml version="1.0"?><a>ann@example.com</a>', /XML/],
    ['JSON', '[{"email":"ann@example.com"}]', /JSON/],
    ['UTF-16 without a mark', utf16, /line 1: there is a NUL byte/],
    [
      'Latin-1',
      Buffer.from('email\nann@example.com\nj\xf6rg@example.com\n', 'latin1'),
      /line 3: the text is not valid UTF-8/,
    ],
    [
      'a character cut off at the end',
      Buffer.from('email\nann@example.com\n\xc3', 'latin1'),
      /line 3.*UTF-8/,
    ],
    ['a NUL', 'email\nann@example.com\nb\0b@example.com\n', /line 3: there is a NUL/],
    [
      'an open quote',
      'email,name\nann@example.com,A\nbob@example.com,"Bob\ncarl@example.com,C\n',
      /line 3: .*never closed/,
    ],
    ['text after a quote', 'email,name\nann@example.com,"A" b\n', /line 2: .*after a closing quote/],
    ['a quote in a cell', 'email,name\n\nann@example.com,A "b"\n', /line \d: .*quote in the middle/],
    [
      'a row of more cells than any table has',
      `${'email,'.repeat(20_000)}\nann@example.com\n`,
      /20001 cells/,
    ],
    [
      'too many bad rows',
      'email\nann@example.com\nb\nc\nd\n',
      /3 of 4 rows have no usable address: this is not a list/,
    ],
  ])('%s', async (_, list, message) => {
    const refused = read(list);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: 'input' });
  });

  it('a named column that is not there, naming those that are', async () => {
    const refused = read('mail,name\nann@example.com,A\n', { columns: { address: ['email'] } });
    await expect(refused).rejects.toThrow(/no column "email"; the header has "mail", "name"/);
    await expect(read('Wohin\nann@example.com\n', { header: true })).rejects.toThrow(
      /no column with addresses/,
    );
    await expect(read('ann@example.com\n', { columns: { address: ['email'] } })).rejects.toThrow(/no header/);
  });

  it('reads Latin-1 when told so', async () => {
    const list = Buffer.from('email\nj\xf6rg@example.com\n', 'latin1');
    expect((await read(list, { encoding: 'windows-1252' })).addresses).toEqual(['jörg@example.com']);
  });
});

describe('streams', () => {
  const list = Array.from(
    { length: 10_000 },
    (_, index) => `p${String(index)}@example.com,"Ü ${String(index)}"`,
  );
  const text = Buffer.from(`email,name\n${list.join('\n')}\n`);

  it('come in batches, and in any chunks', async () => {
    const chunks = [];
    for (let at = 0; at < text.length; at += 997) chunks.push(text.subarray(at, at + 997));
    const { batches, addresses, progress } = await read(chunks);
    expect(addresses).toHaveLength(10_000);
    expect(Math.max(...batches)).toBeLessThan(4_000);
    expect(progress.at(-1)).toBe(10_000);
  });

  it('that break off are no list', async () => {
    const broken = Readable.from(
      (function* () {
        yield text.subarray(0, 5_000);
        throw new Error('connection lost');
      })(),
      { objectMode: false },
    );
    await expect(read('', { open: () => broken })).rejects.toThrow(
      /lists.csv: the list ended early: connection lost/,
    );
  });

  it('stop when the signal says so', async () => {
    const stop = new AbortController();
    const chunks = Array.from({ length: 50 }, () => text);
    const reading = read(chunks, {}, { signal: stop.signal, onBatch: () => stop.abort(new Error('enough')) });
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('files', () => {
  it('are read to their end', async () => {
    const path = join(folder, 'good.csv');
    writeFileSync(path, 'email\nann@example.com\n');
    expect((await read('', { open: () => openCsvFile(path) })).report.complete).toBe(true);
  });

  it('are refused when they change while they are read', async () => {
    const path = join(folder, 'growing.csv');
    const lines = Array.from({ length: 20_000 }, (_, index) => `p${String(index)}@example.com`);
    writeFileSync(path, `email\n${lines.join('\n')}\n`);
    const reading = read(
      '',
      { open: () => openCsvFile(path) },
      { onBatch: () => appendFileSync(path, 'late@example.com\n') },
    );
    await expect(reading).rejects.toThrow(/was changed while it was read/);
  });

  it('that are missing, or folders, are a failure of the source', async () => {
    await expect(openCsvFile(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'source' });
    await expect(openCsvFile(folder)).rejects.toMatchObject({ code: 'source' });
  });

  it('that are named pipes or devices are refused, not waited for', async () => {
    const pipe = join(folder, 'pipe.csv');
    execFileSync('mkfifo', [pipe]);
    await expect(openCsvFile(pipe)).rejects.toThrow(`${pipe} cannot be read: it is not a regular file`);
    await expect(openCsvFile('/dev/zero')).rejects.toThrow(/\/dev\/zero .*not a regular file/);
  });
});

describe('properties', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const address = fc.tuple(word, word).map(([local, domain]) => `${local}@${domain}.example`);
  const name = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((text) => !/[@\0:\ud800-\udfff]/.test(text));
  const row = fc.record({ email: address, aliases: fc.uniqueArray(address, { maxLength: 4 }), name });

  it('gives back every generated row, with its line, in any chunks', async () => {
    const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.integer({ min: 1, max: 50 }),
        async (rows, eol, delimiter, size) => {
          const lines = rows.map((one) =>
            [one.email, quote(one.aliases.join(' ')), quote(one.name)].join(delimiter),
          );
          const bytes = Buffer.from(
            ['email', 'aliases', 'name'].join(delimiter) + eol + lines.join(eol) + eol,
          );
          const chunks = [];
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
          const { entries, report, problems } = await read(chunks);
          expect(problems).toEqual([]);
          expect(report.complete).toBe(true);
          expect(entries.map((entry) => entry.addresses.map(({ value }) => value))).toEqual(
            rows.map((one) => [...new Set([one.email, ...one.aliases])]),
          );
          let line = 2;
          for (const [index, text] of lines.entries()) {
            expect(entries[index]?.where).toBe(`line ${String(line)}`);
            line += 1 + (text.match(/\r\n|\r|\n/g)?.length ?? 0);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('answers any bytes with a list or with a refusal', async () => {
    const nasty = fc.constantFrom(
      '"',
      ',',
      ';',
      '\n',
      '\r',
      '\0',
      '@',
      '<',
      '>',
      'a@b.example',
      'email',
      ':',
      '\\',
      '\xff',
      'smtp:',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      fc.array(nasty, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
      fc.array(nasty, { maxLength: 60 }).map((parts) => Buffer.from(`email\na@b.example\n${parts.join('')}`)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (list) => {
        try {
          const { report, entries } = await read(list);
          expect(entries.length).toBeGreaterThan(0);
          expect(report.complete).toBe(report.reasons.length === 0);
        } catch (error) {
          expect(error).toBeInstanceOf(RollcallError);
          expect(error).toMatchObject({ code: 'input' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
