/** What is not exported, and what becomes of the file then: it stays as it was. */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formats, type FormatName } from '../../src/export/formats.js';
import type { DomainOptions } from '../../src/policy/domain-table.js';
import { people, person } from '../support/array-source.js';
import { domainOptions, hour, House, noLimits } from '../support/house.js';
import { exportFrom, fileOf, rowsIn } from './export-room.js';

let house: House;
beforeEach(() => {
  house = new House();
});
afterEach(() => house.close());

const fill = (n: number) => house.sync({ entries: people(n) }, { limits: noLimits });
const bytes = () => readFileSync(fileOf(house), 'utf8');

describe('a domain that no file can speak for', () => {
  const cases: readonly [string, Partial<DomainOptions>, RegExp][] = [
    ['in mode observe', { mode: 'observe' }, /mode is "observe"/],
    ['in mode off', { mode: 'off' }, /mode is "off"/],
    ['with a catch-all', { catchAll: true }, /catchAll/],
    ['with patterns', { patterns: ['ticket-*'] }, /patterns/],
    ['with subdomains', { includeSubdomains: true }, /subdomains/],
    ['whose own server is asked', { callAhead: ['ask'] }, /own mail server/],
  ];

  it.each(cases)('%s is refused by name, also by force', async (_, options, why) => {
    await fill(20);
    house.domains = [domainOptions('example.com', options)];
    const report = await exportFrom(house, { force: true });
    expect(report.state).toBe('refused');
    expect(report.reasons.join()).toMatch(why);
    expect(existsSync(fileOf(house))).toBe(false);
  });

  it('is refused as an alias too, and can be left out by name', async () => {
    house.domains = [
      domainOptions('example.com'),
      domainOptions('open.example', { catchAll: true }),
      domainOptions('alias.example', { aliasOf: 'open.example' }),
    ];
    await fill(20);
    const all = await exportFrom(house);
    expect(all.reasons).toHaveLength(2);
    expect(await exportFrom(house, { domains: ['example.com'] })).toMatchObject({ state: 'written' });
  });

  it('below another one is refused where the mail server looks into the parent', async () => {
    house.domains = [domainOptions('example.com'), domainOptions('sub.example.com', { mode: 'observe' })];
    await fill(20);
    const only = { domains: ['example.com'] };
    expect(await exportFrom(house, { ...only, format: 'sendmail-access' })).toMatchObject({
      state: 'refused',
    });
    expect(await exportFrom(house, { ...only, format: 'texthash' })).toMatchObject({ state: 'written' });
  });
});

describe('a list that is not fresh and complete', () => {
  it('is not exported, and the file stays', async () => {
    await fill(20);
    await exportFrom(house);
    const before = bytes();
    house.now += 49 * hour;
    expect(await exportFrom(house, { force: true })).toMatchObject({ state: 'deferred' });
    expect(bytes()).toBe(before);
    await fill(21);
    expect(await exportFrom(house)).toMatchObject({ state: 'written' });
    expect(rowsIn(house)).toContain('p20@example.com');
  });

  it('of one domain keeps the whole file', async () => {
    house.domains = [domainOptions('example.com'), domainOptions('new.example')];
    await fill(20);
    const report = await exportFrom(house);
    expect(report.state).toBe('deferred');
    expect(report.hint).toContain('stays as it was');
    expect(report.reasons.join()).toMatch(/^new\.example: /);
  });

  it('is none where there is no list at all', async () => {
    rmSync(house.lookupFile);
    expect(await exportFrom(house)).toMatchObject({ state: 'deferred', generation: null });
  });
});

describe('the guard', () => {
  it.each(Object.keys(formats) as FormatName[])('keeps %s from shrinking, until forced', async (format) => {
    await fill(100);
    expect(await exportFrom(house, { format })).toMatchObject({ state: 'written' });
    await fill(40);
    house.now += 30 * hour;
    await fill(40);
    const before = bytes();
    const report = await exportFrom(house, { format });
    expect(report).toMatchObject({ state: 'refused', domains: [{ domain: 'example.com', addresses: 40 }] });
    expect(report.reasons).toEqual([expect.stringContaining('from 100 to 40')]);
    expect(bytes()).toBe(before);
    expect(await exportFrom(house, { format, force: true })).toMatchObject({ state: 'written' });
    expect(await exportFrom(house, { format })).toMatchObject({ state: 'unchanged' });
  });

  it('never empties a domain: all of them disabled is nobody', async () => {
    await fill(30);
    await exportFrom(house);
    await house.sync(
      { entries: people(30).map((entry) => ({ ...entry, disabled: true })) },
      { limits: noLimits },
    );
    const report = await exportFrom(house, { maxShrinkPercent: 100 });
    expect(report.reasons).toEqual([expect.stringContaining('nobody is known in example.com')]);
    expect(rowsIn(house)).toHaveLength(32);
  });

  it('keeps a domain in the file that left the export', async () => {
    house.domains = [domainOptions('example.com'), domainOptions('two.example')];
    await house.sync({ entries: [...people(20), ...people(20, 'two.example', 100)] });
    await exportFrom(house);
    const report = await exportFrom(house, { domains: ['example.com'] });
    expect(report.reasons).toEqual([expect.stringContaining('two.example')]);
  });

  it.each(['plain', 'sqlite'] as const)('overwrites no file that is not ours (%s)', async (format) => {
    await fill(20);
    writeFileSync(fileOf(house), 'root: me@example.com\n');
    expect(await exportFrom(house, { format })).toMatchObject({ state: 'refused' });
    expect(bytes()).toBe('root: me@example.com\n');
    writeFileSync(fileOf(house), '');
    expect(await exportFrom(house, { format })).toMatchObject({ state: 'written' });
  });

  it('overwrites no .cf that is not ours, and writes nothing beside it', async () => {
    await fill(20);
    const cf = `${fileOf(house)}.cf`;
    writeFileSync(cf, '# my own\ndbpath = /elsewhere\n');
    const report = await exportFrom(house, { format: 'sqlite' });
    expect(report).toMatchObject({
      state: 'refused',
      reasons: [expect.stringContaining(`${cf} that Rollcall did not`)],
    });
    expect(readFileSync(cf, 'utf8')).toContain('my own');
    expect(existsSync(fileOf(house))).toBe(false);
    expect(await exportFrom(house, { format: 'sqlite', force: true })).toMatchObject({ state: 'written' });
    expect(readFileSync(cf, 'utf8')).toContain(`dbpath = ${fileOf(house)}`);
    // one of ours that somebody has changed is written again
    appendFileSync(cf, 'query = SELECT 1\n');
    expect(await exportFrom(house, { format: 'sqlite' })).toMatchObject({ state: 'written' });
    expect(readFileSync(cf, 'utf8')).not.toContain('SELECT 1');
    expect(await exportFrom(house, { format: 'sqlite' })).toMatchObject({ state: 'unchanged' });
  });

  it('changes nothing in a dry run, and leaves nothing behind', async () => {
    await fill(20);
    expect(await exportFrom(house, { dryRun: true })).toMatchObject({ state: 'planned' });
    expect(readdirSync(house.folder).filter((name) => name.startsWith('recipients'))).toEqual([]);
  });
});

describe('what a file says more kindly is told', () => {
  it('names what it cannot write, and counts inside-only and removed addresses', async () => {
    await house.sync({
      entries: [
        ...people(20),
        person('odd', ['#1@example.com']),
        person('group', ['staff@example.com'], { internalOnly: true }),
        person('gone', ['gone@example.com']),
        person('tag', ['a+b@example.com']),
      ],
    });
    await house.sync({
      entries: [
        ...people(20),
        person('odd', ['#1@example.com']),
        person('group', ['staff@example.com'], { internalOnly: true }),
        person('tag', ['a+b@example.com']),
      ],
    });
    const { warnings } = await exportFrom(house);
    expect(warnings).toEqual([
      expect.stringContaining('#1@example.com'),
      expect.stringMatching(/^1 addresses removed lately are taken/),
      expect.stringMatching(/^1 addresses that take mail from inside only/),
      expect.stringContaining('a+b@example.com'),
    ]);
    const { warnings: texthash } = await exportFrom(house, { format: 'texthash', force: true });
    expect(texthash.join()).not.toContain('removed lately');
    expect(rowsIn(house)).toContain('gone@example.com 450 4.2.1 Mailbox not available at the moment');
    house.domains = [domainOptions('example.com', { replies: { removed: 'Ask "Ann" \\ later' } })];
    await exportFrom(house, { format: 'sendmail-access', force: true });
    expect(rowsIn(house)).toContain(`To:gone@example.com\tERROR:4.2.1:"450 Ask 'Ann' \\ later"`);
  });
});
