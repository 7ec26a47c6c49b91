/** Doctor on the configuration folder of a Haraka. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { harakaFaults } from '../../src/cli/doctor/mta/catalogue-haraka.js';
import type { FaultId } from '../../src/cli/doctor/mta/catalogue.js';
import { analyseHaraka } from '../../src/cli/doctor/mta/haraka.js';
import type { Facts } from '../../src/cli/snippet/facts.js';
import { makeSnippet } from '../../src/cli/snippet/snippets.js';

const facts: Facts = {
  doors: { http: [{ host: '127.0.0.1', port: 10047 }] },
  domains: [{ name: 'example.com', mode: 'enforce', includeSubdomains: false, subaddress: ['+'] }],
};

const ours = 'haraka-plugin-rollcall';
const good = {
  plugins: `# comment\n${ours}\nrcpt_to.in_host_list\n`,
  'rollcall.ini': 'url=http://127.0.0.1:10047\n',
  host_list: 'example.com\n',
};
type Files = Readonly<Record<string, string | undefined>>;

function ids(files: Files): FaultId[] {
  const findings = analyseHaraka({ file: (name) => files[name], facts });
  return findings.flatMap(({ id }) => (id === undefined ? [] : [id]));
}

const cases: readonly (readonly [id: keyof typeof harakaFaults, files: Files])[] = [
  ['haraka-no-plugins', {}],
  ['haraka-not-asked', { ...good, plugins: '#haraka-plugin-rollcall\nrcpt_to.in_host_list' }],
  ['haraka-order', { ...good, plugins: `rcpt_to.in_host_list\n${ours}` }],
  ['haraka-second-validator', { ...good, plugins: `${ours}\nrcpt_to.ldap` }],
  ['haraka-wrong-address', { ...good, 'rollcall.ini': 'url=http://127.0.0.1:10040\n' }],
  ['haraka-domain-unserved', { ...good, host_list: 'example.com\nexample.org' }],
  ['haraka-domain-missing', { ...good, host_list: '' }],
];

describe('doctor --haraka', () => {
  it.each(cases)('finds %s', (id, files) => {
    expect(ids(files)).toEqual([id]);
    expect(ids(good)).toEqual([]);
  });

  it('every fault has a case', () => {
    expect(new Set(cases.map(([id]) => id))).toEqual(new Set(Object.keys(harakaFaults)));
  });

  it('has nothing against the snippet', () => {
    const { files } = makeSnippet('haraka', facts);
    const lines = (file: string): string => (files.find((one) => one.file === file)?.lines ?? []).join('\n');
    expect(
      ids({ ...good, plugins: lines('config/plugins'), 'rollcall.ini': lines('config/rollcall.ini') }),
    ).toEqual([]);
  });

  it('takes any text', () => {
    const text = fc.string({ unit: 'binary-ascii' });
    fc.assert(
      fc.property(text, text, text, (plugins, ini, list) => {
        ids({ plugins, 'rollcall.ini': `url=${ini}`, host_list: list });
      }),
      { numRuns: 100 },
    );
  });
});
