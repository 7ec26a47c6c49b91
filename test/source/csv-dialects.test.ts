/** The csv source: any dialect of the same addresses gives the same claims; what is a guess is told; memory stays bounded. */
import { Readable } from 'node:stream';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { createCsvSource } from '../../src/source/csv/csv-source.js';
import { readList } from './read-list.js';

const read = (
  list: string | Buffer,
  changes: Parameters<typeof readList>[1] = {},
): ReturnType<typeof readList> => readList(list, { encoding: 'auto', maxBadPercent: 10, ...changes });
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the encoding', () => {
  const text = 'name,email\nJörg,joerg@example.com\nÄnn,ann@example.com\n';
  it.each<[string, Buffer]>([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16LE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16LE without', Buffer.from(text, 'utf16le')],
    ['UTF-16BE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['UTF-16BE without', Buffer.from(text, 'utf16le').swap16()],
    ['windows-1252', latin1(text)],
  ])('is found: %s', async (_, list) => {
    const { addresses, report, problems } = await read(list);
    expect(addresses).toEqual(['joerg@example.com', 'ann@example.com']);
    expect(report).toMatchObject({ complete: true });
    expect(problems).toEqual([]);
  });

  it('that is not known never makes another address: it is told, and the list is not complete', async () => {
    const { addresses, problems, report } = await read(
      latin1('email\nann@example.com\nj\xf6rg@example.com\n'),
      {
        maxBadPercent: 100,
      },
    );
    expect(addresses).toEqual(['ann@example.com']);
    expect(problems).toMatchObject(
      [{ where: 'line 3', reason: /"jörg@example.com" is not used/ }].map((one) => ({
        where: one.where,
        reason: expect.stringMatching(one.reason) as string,
      })),
    );
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toMatch(/unknown encoding, the first in line 3/);
  });

  it('that is mixed puts addresses beyond ASCII in doubt', async () => {
    const list = Buffer.concat([
      Buffer.from('name,email\nA,jörg@example.com\n'),
      latin1('J\xf6rg,b@example.com\n'),
    ]);
    const { addresses, report } = await read(list);
    expect(addresses).toEqual(['jörg@example.com', 'b@example.com']);
    expect(report.reasons.join()).toMatch(/not UTF-8 throughout/);
  });

  // `Export-Csv -Encoding Unicode`, then `echo … >>`; and the other way about in PowerShell
  it.each([
    ['\ufeffemail\r\nann@example.com\r\n', 'bob@example.com\r\n', 'utf16le', 3],
    ['\ufeffemail\r\nann@example.com\r\n', 'bob@example.com\r\nx', 'utf16le', 3],
    ['bob@example.com\r\n', 'email\r\nann@example.com\r\nbob@example.com\r\n', 'latin1', 1],
  ] as const)(
    'that changes within the list is refused: %j, then %j',
    async (first, second, encoding, line) => {
      const other = encoding === 'latin1' ? 'utf16le' : 'latin1';
      const list = Buffer.concat([Buffer.from(first, encoding), Buffer.from(second, other)]);
      await expect(read(list)).rejects.toThrow(`line ${String(line)}: the list is UTF-16, but an address`);
    },
  );

  it('finds configured columns by their names in windows-1252', async () => {
    const list = latin1('Prénom,Adrèsse\nAnn,ann@example.com\n');
    expect((await read(list, { columns: { address: ['Adrèsse'] } })).addresses).toEqual(['ann@example.com']);
  });
});

describe('bars', () => {
  it.each([
    [
      'at the beginning of a local part',
      'email\n|pipe@example.com\nann@example.com\n',
      ['|pipe@example.com', 'ann@example.com'],
    ],
    [
      'in a cell',
      'email,aliases\nann@example.com,|pipe@example.com\n',
      ['ann@example.com', '|pipe@example.com'],
    ],
    ['between addresses', 'email\nann@example.com|a@example.com\n', ['ann@example.com', 'a@example.com']],
    ['in a list of lines', '|pipe@example.com\n', ['|pipe@example.com']],
  ])('%s', async (_, list, expected) => {
    expect((await read(list)).addresses).toEqual(expected);
  });
});

describe('delimiters that a local part may hold', () => {
  it.each(['^', '~', '|'])('%s stands between cells where the header has it', async (between) => {
    const rows = ['name~email', 'Ann~ann@example.com', 'Bob~bob@example.com'].map((row) =>
      row.replace('~', between),
    );
    const both = ['ann@example.com', 'bob@example.com'];
    expect((await read(`${rows.join('\n')}\n`)).addresses).toEqual(both);
    const address = `x${between}y@example.com`;
    const mixed = await read(`email\nann@example.com\n${address}\n`);
    if (between !== '|') expect(mixed.addresses).toEqual(['ann@example.com', address]);
  });

  it('is named by sep=, also in quotes', async () => {
    const list = '"sep=:"\nname:email\nAnn:ann@example.com\nBob:bob@example.com\n';
    expect((await read(list)).addresses).toEqual(['ann@example.com', 'bob@example.com']);
  });
});

describe('whole domains and patterns', () => {
  const list = 'ann@example.com OK\n@example.net OK\ninfo-*@example.com OK\n';

  it('accept nobody but who is named, are told by line, and leave the list incomplete', async () => {
    const { addresses, problems, report } = await read(list);
    // a pattern is one address as it is written
    expect(addresses).toEqual(['ann@example.com', 'info-*@example.com']);
    expect(problems.map(({ where }) => where)).toEqual(['line 2', 'line 3']);
    expect(problems[0]?.reason).toMatch(/whole domain.*patterns or catchAll/);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).toMatch(/2 rows with a whole domain or a pattern, the first in line 2/);
  });

  it('are no matter to somebody who has them in the domain’s settings', async () => {
    expect((await read(list, { wildcards: 'ignore' })).report.complete).toBe(true);
  });
});

describe('what is no list', () => {
  it.each<[string, string | Buffer, RegExp]>([
    [
      'a screen table',
      'Name  PrimarySmtpAddress\n----  ------------------\nAnn   ann@exam...\n',
      /Format-Table/,
    ],
    ['a screen listing', 'Name : Ann\nPrimarySmtpAddress : ann@example.com\n', /Format-List/],
    ['LDIF', 'dn: cn=ann,dc=example\nmail: ann@example.com\n', /LDIF/],
    ['an HTML error page in UTF-16', Buffer.from('\ufeff<html><body>502 a@b.example', 'utf16le'), /web page/],
    ['JSON lines', '{"email":"ann@example.com"}\n', /JSON/],
    ['a part of a page', '<div class="login">ann@example.com</div>\n', /web page/],
    [
      'a mail log',
      'Nov  2 10:00:01 mx postfix/smtp[1]: A: to=<ann@example.com>, relay=a, delay=1\n',
      /a log.*/,
    ],
    [
      'a log of this century',
      '2026-11-22T10:00:01.5+01:00 mx postfix: to=<ann@example.com>, relay=a\n',
      /a log/,
    ],
    [
      'a tracking log',
      '#Software: Microsoft Exchange Server\n#Version: 15\n2026,x,ann@example.com\n',
      /a log/,
    ],
    ['a mailbox', 'From ann@example.com Sat Nov 22 10:00:00 2026\nTo: bob@example.com\n', /a mailbox/],
    ['a mail', 'Return-Path: <ann@example.com>\nTo: bob@example.com\n', /a mail message/],
    [
      'aliases(5)',
      '# local\n\nmailer-daemon: postmaster\n\nsales:\tann@example.com, bob@example.com\n',
      /aliases\(5\)/,
    ],
    ['only a header', 'email,name\n', /no usable address in the list: it has no rows/],
    ['only whole domains', '@example.com OK\n', /whole domains and patterns are none/],
  ])('is refused: %s', async (_, list, message) => {
    await expect(read(list)).rejects.toThrow(message);
  });

  it.each([
    ['<p@example.com>\n<head@example.com>\n', ['p@example.com', 'head@example.com']],
    ['mail: ann@example.com\nmail: bob@example.com\n', ['ann@example.com', 'bob@example.com']],
    ['from,to\nx,ann@example.com\n', ['ann@example.com']],
  ])('is not refused for looking a little like it: %j', async (list, expected) => {
    expect((await read(list)).addresses).toEqual(expected);
  });
});

describe('any dialect', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
  const address = fc.tuple(word, word).map(([local, domain]) => `${local}@${domain}.example`);
  const row = fc.record({
    email: address,
    aliases: fc.uniqueArray(address, { maxLength: 3 }),
    name: fc.stringMatching(/^[A-Za-zäöüé ,;|"\t]{0,10}$/),
  });
  const dialect = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    eol: fc.constantFrom('\n', '\r\n', '\r'),
    between: fc.constantFrom('; ', ' ', ','),
    sep: fc.boolean(),
    quoteAll: fc.boolean(),
    typed: fc.boolean(),
    encoding: fc.constantFrom('utf8', 'bom', 'utf16le', 'utf16be', 'latin1'),
    chunk: fc.integer({ min: 1, max: 300 }),
  });

  it('of the same addresses gives the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), dialect, async (rows, how) => {
        const cell = (text: string): string =>
          how.quoteAll || /[,;|\t"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const type = how.typed ? 'smtp:' : '';
        const lines = [
          ...(how.sep ? [`sep=${how.delimiter}`] : []),
          ['name', 'email', 'aliases'].map(cell).join(how.delimiter),
          ...rows.map(({ name, email, aliases }) =>
            [name, email, aliases.map((one) => type + one).join(how.between)].map(cell).join(how.delimiter),
          ),
        ];
        const bytes = encoded(lines.map((line) => line + how.eol).join(''), how.encoding);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += how.chunk) chunks.push(bytes.subarray(at, at + how.chunk));
        const { entries, report, problems } = await readList(chunks, { encoding: 'auto' });
        expect(problems).toEqual([]);
        expect(report.reasons).toEqual([]);
        expect(entries.map((entry) => entry.addresses.map(({ value }) => value))).toEqual(
          rows.map(({ email, aliases }) => [...new Set([email, ...aliases])]),
        );
      }),
      { numRuns: 200 },
    );
  });
});

function encoded(text: string, encoding: string): Buffer {
  if (encoding === 'bom') return Buffer.from(`\ufeff${text}`);
  if (encoding === 'utf16be') return Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
  if (encoding === 'utf16le') return Buffer.from(`\ufeff${text}`, 'utf16le');
  return Buffer.from(text, encoding as BufferEncoding);
}

describe('a list of five million rows', () => {
  it('is read in bounded memory', { timeout: 120_000 }, async () => {
    const total = 5_000_000;
    const size = 2_000;
    function* rows(): Generator<Buffer> {
      for (let from = 0; from < total; from += size) {
        let text = '';
        for (let row = from; row < from + size; row += 1) text += `p${String(row)}@example.com\n`;
        yield Buffer.from(text);
      }
    }
    const source = createCsvSource({
      name: 'lists',
      label: 'lists.csv',
      open: () => Readable.from(rows(), { objectMode: false }),
      encoding: 'auto',
      header: 'auto',
      respectDisabled: false,
      maxBadPercent: 10,
    });
    const reading = source.read({
      signal: new AbortController().signal,
      problem: () => undefined,
      progress: () => undefined,
    });
    const before = process.memoryUsage().rss;
    let most = before;
    let count = 0;
    for (let step = await reading.next(); step.done !== true; step = await reading.next()) {
      count += step.value.length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    expect(count).toBe(total);
    // All of them at once would be more than 1 GB.
    expect((most - before) / 1024 / 1024).toBeLessThan(250);
  });
});
