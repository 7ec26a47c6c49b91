/** The csv source: lists that are good to read, and yet say that something is missing from them. */
import { describe, expect, it } from 'vitest';
import { readList as read } from './read-list.js';

describe('rows that can be used in part', () => {
  it.each([
    [
      'a broken alias',
      'email,aliases\nann@example.com,a@;x@example.com\n',
      ['ann@example.com', 'x@example.com'],
    ],
    ['too few cells', 'email,name\nann@example.com\n', ['ann@example.com']],
    ['too many cells', 'email,name\nann@example.com,Doe, Ann\n', ['ann@example.com']],
    [
      'words before an address that may belong to it',
      'email,aliases\nann@example.com,john smith@example.com;x@example.com\n',
      ['ann@example.com', 'x@example.com'],
    ],
    ['words after it', 'email\nann@example.com OK\n', ['ann@example.com']],
  ])('are doubtful: %s', async (_, list, expected) => {
    const { entries, addresses, problems, report } = await read(list, { maxBadPercent: 100 });
    expect(addresses).toEqual(expected);
    expect(entries.map((entry) => entry.doubtful)).toEqual([true]);
    expect(problems).toHaveLength(1);
    expect(report.complete).toBe(true);
  });

  it('are not, where nothing is wrong', async () => {
    const list =
      'mail,proxyAddresses\nann@example.com,X400:c=US;a= ;p=Org;s=Doe;smtp:a@example.com;SIP:b@example.com\n';
    const { entries, addresses, problems } = await read(list);
    expect(addresses).toEqual(['ann@example.com', 'a@example.com']);
    expect(entries[0]?.doubtful).toBeUndefined();
    expect(problems).toEqual([]);
  });
});

describe('columns that are not used', () => {
  const list = (name: string, ...cells: string[]): string =>
    [`email,${name}`, ...cells.map((cell, index) => `p${String(index)}@example.com,${cell}`), ''].join('\n');

  it('make a list incomplete when they hold addresses, which is told once', async () => {
    const cells = ['none', 'old@example.com', 'older@example.com'];
    const { addresses, problems, report } = await read(list('Weitere Adressen', ...cells));
    expect(addresses).toHaveLength(3);
    const reason = /^column "Weitere Adressen" holds addresses but is not used: name it in columns.aliases/;
    expect(problems).toEqual([{ where: 'line 3', reason: expect.stringMatching(reason) as string }]);
    expect(report).toMatchObject({ complete: false, reasons: [problems[0]?.reason] });
  });

  it('are looked at as long as it takes', async () => {
    const cells = Array.from({ length: 3_000 }, () => '');
    expect((await read(list('Sonst', ...cells, 'x@example.com'))).report.complete).toBe(false);
    expect((await read(list('Sonst', ...cells.map(() => '@handle'), 'x'))).report.complete).toBe(true);
  });

  it.each([
    'userPrincipalName',
    'UPN',
    'Manager',
    'Manager Email',
    'Managed By',
    'ForwardingSmtpAddress',
    'Forward',
    'External Email Address',
    'Recovery Email',
    'Contact',
  ])('are no matter when they hold the addresses of others: %s', async (name) => {
    const { addresses, problems, report } = await read(list(name, 'x@example.net'), { mayLack: ['aliases'] });
    expect(addresses).toEqual(['p0@example.com']);
    expect(problems).toEqual([]);
    expect(report.complete).toBe(true);
  });

  it.each(['Address', 'Adresse', 'Address 2'])(
    'are no matter when somebody lives there: %s',
    async (name) => {
      const { addresses, problems, entries } = await read(
        `${name},Email\n"Weg 1, 8000 Zürich",ann@example.com\n`,
      );
      expect(addresses).toEqual(['ann@example.com']);
      expect(problems).toEqual([]);
      expect(entries[0]?.doubtful).toBeUndefined();
      expect((await read(`Name,${name}\nAnn,ann@example.com\n`)).addresses).toEqual(['ann@example.com']);
      const both = await read(`${name},Email\na@example.com,ann@example.com\n`);
      expect(both.report.reasons).toEqual([expect.stringContaining(`column "${name}" holds addresses`)]);
    },
  );

  it('are no matter when they repeat what was read, or when someone chose the others', async () => {
    expect((await read(list('Display Name', 'P0@example.com'))).report.complete).toBe(true);
    const columns = { address: ['email'] };
    const { problems, report } = await read(list('Sonst', 'x@example.com'), { columns });
    expect(problems).toEqual([]);
    expect(report.complete).toBe(true);
  });

  it('are read where Exchange’s Alias holds an address', async () => {
    const exchange = 'Alias,PrimarySmtpAddress\nann,ann@example.com\nb@example.com,bob@example.com\n';
    const { addresses, problems, report } = await read(exchange, { mayLack: ['aliases'] });
    expect(addresses).toEqual(['ann@example.com', 'bob@example.com', 'b@example.com']);
    expect(problems).toEqual([]);
    expect(report.complete).toBe(true);
  });

  it.each([{}, { columns: { address: ['email'] } }])('may have swallowed rows (%j)', async (changes) => {
    const swallowed =
      'email,name\nann@example.com,Ann\nbob@example.com,"Bob\ncarl@example.com,Carl"\ndan@example.com,D\n';
    const { addresses, report } = await read(swallowed, changes);
    expect(addresses).not.toContain('carl@example.com');
    expect(report.complete).toBe(false);
    expect(report.reasons).toEqual([expect.stringMatching(/^line 3: .*column "name".*swallowed/)]);
  });
});

it.each([
  '{SMTP:ann@example.com, smtp:a@example.com, smtp:b@example.com...}',
  '{SMTP:ann@example.com, smtp:a@example.com…}',
  '{SMTP:ann@example.com, smtp:a@example.com, ...}',
  '#NAME?',
])('a cell that a program cut off leaves the list incomplete: %s', async (cell) => {
  const others = Array.from({ length: 30 }, (_, at) => `p${String(at)}@example.com,\n`).join('');
  const { report, problems } = await read(
    `PrimarySmtpAddress,EmailAddresses\nann@example.com,"${cell}"\n${others}`,
  );
  expect(report.reasons).toEqual([
    expect.stringContaining('1 row with what a program wrote instead of addresses'),
  ]);
  expect(problems).toEqual([
    { where: 'line 2', reason: expect.stringContaining('could not write') as string },
  ]);
  expect((await read(`ann@example.com,see below...\nbob@example.com,...\n`)).report.complete).toBe(true);
});

describe('lists that may be cut off', () => {
  const lines = 'name,email\nAnn,ann@example.com\nBob,bob@example.com\n';

  it.each([
    ['in the domain', `${lines}Carl,carl@example.c`],
    ['in the domain of an alias', 'email,aliases\nann@example.com,\nbob@example.com,b@example.com;c@exam'],
    ['in an alias', 'email,aliases\nann@example.com,\nbob@example.com,b@example.com;c@'],
  ])('are not complete: %s', async (_, list) => {
    expect((await read(list)).report).toMatchObject({
      complete: false,
      reasons: [expect.stringContaining('may be cut off') as string],
    });
    expect((await read(`${list}\n`)).report.complete).toBe(true);
  });

  it.each([
    ['a row like the others', `${lines}Carl,carl@Example.com`],
    ['one row', 'name,email\nAnn,ann@example.com'],
  ])('are not taken for such: %s', async (_, list) => {
    expect((await read(list)).report.complete).toBe(true);
  });
});
