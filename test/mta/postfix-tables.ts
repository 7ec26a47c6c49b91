/** What must hold when Postfix takes both its relay domains and their recipients from Rollcall, besides the scenario. */
import { expect, it } from 'vitest';
import { tempfail } from './scenario.js';

/** The lines of main.cf. `elsewhere.test` is a domain that Postfix relays and Rollcall does not know. */
export function tableLines(table: (map: 'domains' | 'recipients') => string): string[] {
  return [
    `relay_domains = elsewhere.test, ${table('domains')}`,
    `relay_recipient_maps = ${table('recipients')}`,
  ];
}

export function tableTests(ask: (recipient: string) => Promise<string>): void {
  it('relays for the domains of Rollcall, and for nothing below or beside them', async () => {
    expect(await ask('person@stranger.test')).toMatch(/^554 5\.7\.1 .*Relay access denied/);
    expect(await ask('person@sub.example.com')).toMatch(/^554 5\.7\.1 .*Relay access denied/);
    expect(await ask('person@com')).toMatch(/^554 5\.7\.1 .*Relay access denied/);
  });

  it('defers what it relays for and Rollcall does not know', async () => {
    expect(await ask('person@elsewhere.test')).toMatch(tempfail);
    expect(await ask('person@sub.elsewhere.test')).toMatch(tempfail);
  });

  it('knows a quoted local part by its meaning', async () => {
    expect(await ask('"person"@example.com')).toMatch(/^250 /);
    expect(await ask('"two words"@example.com')).toMatch(/^250 /);
    expect(await ask('"no words"@example.com')).toMatch(/^550 5\.1\.1 /);
    expect(await ask('"person@example.com"@example.com')).toMatch(/^5/);
  });

  it('takes postmaster, and nobody without a name', async () => {
    expect(await ask('postmaster@example.com')).toMatch(/^250 /);
    expect(await ask('@example.com')).toMatch(/^5/);
    expect(await ask('""@example.com')).toMatch(/^[45]/);
  });
}
