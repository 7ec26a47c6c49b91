/** No address of a list is lost in silence: it is claimed, or its line is told, or the list does not count as complete. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { readList as read } from './read-list.js';

describe('an address is taken', () => {
  it.each([
    ['beside brackets', 'email\nAnn <a@example.com>+smtp:ann@example.com\n'],
    ['behind brackets', 'email\n<a@example.com> ann@example.com\n'],
    ['in the quotes of a word processor', 'email\n“ann@example.com”\n'],
    ['in apostrophes', "email\n'ann@example.com'\n"],
    ['in quotes twice', 'email\n"""ann@example.com"""\n'],
    [
      'from a list of PowerShell',
      'PrimarySmtpAddress,EmailAddresses\na@example.com,"{SMTP:a@example.com, smtp:ann@example.com}"\n',
    ],
    ['from a list of JSON', 'email,aliases\na@example.com,"[""b@example.com"",""ann@example.com""]"\n'],
    ['with characters that nobody sees', 'email\nan\u200bn\u00ad@example.com\n'],
    ['with a subject', 'email\nmailto:ann@example.com?subject=hello\n'],
    ['with spaces before and behind its quotes', 'name, "email" ,x\nAnn, "ann@example.com" ,y\n'],
    ['in a first row that begins with a number sign', '#1;ann@example.com\n2;b@example.com\n'],
  ])('%s', async (_, list) => {
    const { addresses, problems } = await read(list);
    expect(addresses).toContain('ann@example.com');
    expect(problems.filter(({ reason }) => !reason.startsWith('taken for a header'))).toEqual([]);
  });

  it('or told, when a first row is no header but cannot be read', async () => {
    const { problems } = await read('Ann ann@example.com\nb@example.com\nc@example.com\n');
    expect(problems).toEqual([
      { where: 'line 1', reason: expect.stringContaining('may be one address') as string },
    ]);
  });

  it('or told, behind a word with a colon', async () => {
    const { problems } = await read('email\nb@example.com\nTel:123 ann@example.com\n');
    expect(problems).toEqual([
      { where: 'line 3', reason: expect.stringContaining('may be one address') as string },
    ]);
  });
});

describe('a list does not count as complete', () => {
  const rows = (count: number, aliases: string): string =>
    Array.from({ length: count }, (_, at) => `p${String(at)}@example.com,${aliases}\n`).join('');

  it('when many rows have an address that cannot be read', async () => {
    const few = await read(`email,aliases\n${rows(1, 'x/y@z@example.com')}${rows(19, '')}`, {
      maxBadPercent: 10,
    });
    expect(few.report.complete).toBe(true);
    const many = await read(`email,aliases\n${rows(3, 'x/y@z@example.com')}${rows(17, '')}`, {
      maxBadPercent: 10,
    });
    expect(many.report).toMatchObject({
      complete: false,
      reasons: ['3 of 20 rows have an address that cannot be read, more than the 10 % of maxBadPercent'],
    });
  });

  it('when it ends within a character', async () => {
    const bytes = Buffer.from('email,name\nann@example.com,Zoë');
    const { report } = await read(bytes.subarray(0, -1), { encoding: 'auto' });
    expect(report).toMatchObject({
      complete: false,
      reasons: [expect.stringContaining('ends within a character') as string],
    });
    expect((await read(bytes, { encoding: 'auto' })).report.complete).toBe(true);
  });
});

it.each([
  ['email\n\n\r\n \nx"y@example.com\n', 5],
  ['email\n"a\nb@example.com"\n\n\nx"y\n', 6],
  ['email,b\na@example.com,1\n\n"x\r\ny",a"b\n', 4],
  ['email\n\n\n"x\ny\n', 4],
])('a quote out of place is told with its line, whatever stands before: %j', async (list, line) => {
  await expect(read(list)).rejects.toThrow(`line ${String(line)}: the row that begins here`);
});

const address = fc
  .tuple(fc.constantFrom('ann', 'a.b', 'x+y', "o'neil", 'c-d', '9'), fc.nat(999))
  .map(([local, number]) => `${local}${String(number)}@example.com`);
const spellings: readonly ((address: string) => string)[] = [
  (a) => a,
  (a) => `Ann <${a}>`,
  (a) => `"Doe, Ann" <${a}>`,
  (a) => `Doe, Ann <${a}>`,
  (a) => `mailto:${a}`,
  (a) => `SMTP:${a}`,
  (a) => ` ${a}\u200b`,
  (a) => `<${a}>`,
  (a) => `'${a}'`,
  (a) => `“${a}”`,
  (a) => `${a} (Ann)`,
  (a) => `Ann ${a}`,
  (a) => `Tel:1 ${a}`,
  (a) => `${a} OK`,
];
const spelled = fc.tuple(address, fc.constantFrom(...spellings)).map(([one, spell]) => spell(one));
const cell = fc.oneof(
  fc.constantFrom('', 'Ann', 'Doe, Ann', 'O"K', '1,5', '-', '#1', 'X500:/o=E/cn=a', 'SIP:x'),
  fc
    .tuple(
      fc.constantFrom(';', ',', '; ', ', ', ' ', '\n', '+smtp:', ';smtp:'),
      fc.array(spelled, { minLength: 1, maxLength: 4 }),
    )
    .map(([separator, parts]) => parts.join(separator)),
);
const table = fc.record({
  header: fc.option(
    fc.constantFrom(['email', 'aliases'], ['Name', 'E-Mail'], ['Wer', 'Wohin'], ['mail', 'Sonst']),
    { nil: undefined },
  ),
  rows: fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  isQuoted: fc.boolean(),
});

describe('any table', () => {
  it('tells of every address that it does not take', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ header, rows, delimiter, isQuoted }) => {
        const write = (cells: readonly string[]): string =>
          cells
            .map((text) =>
              isQuoted || /["\r\n]/.test(text) || text.includes(delimiter)
                ? `"${text.replaceAll('"', '""')}"`
                : text,
            )
            .join(delimiter);
        const written = [...(header === undefined ? [] : [header]), ...rows].map(write);
        const found = await read(`${written.join('\n')}\n`, { maxBadPercent: 100, encoding: 'auto' }).catch(
          () => undefined,
        );
        if (found?.report.complete !== true) return;
        const taken = new Set(found.addresses);
        let line = 1;
        for (const row of written) {
          const isTold = found.problems.some(({ where }) => where === `line ${String(line)}`);
          // `Ann`, in columns that are none of addresses, is no address: only what a header does not name may be passed over
          const isRemark =
            header?.some((name) => ['Name', 'Sonst'].includes(name)) === true || row.startsWith('#');
          for (const [, text = ''] of row.matchAll(/([\w.+'-]+@example\.com)/g)) {
            const bare = text.replace(/^'/, '').replace(/^\+smtp:/, '');
            if (!isTold && !isRemark) expect(taken).toContain(bare);
          }
          line += row.split('\n').length;
        }
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});
