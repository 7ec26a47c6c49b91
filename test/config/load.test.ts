import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { formatIssue } from '../../src/config/issues.js';
import { loadConfig, parseConfig } from '../../src/config/load.js';
import { printConfig } from '../../src/config/print.js';
import type { Config } from '../../src/config/schema.js';

const file = '/etc/rollcall/config.json';

function parsed(value: unknown): { config: Config; warnings: string[] } {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const result = parseConfig(text, { file });
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
  return { config: result.config, warnings: result.warnings.map(formatIssue) };
}

const people = { people: { kind: 'csv', path: 'people.csv', schedule: '@hourly' } };
const staff = {
  kind: 'ldap',
  url: 'ldaps://dc1.example.com',
  baseDn: 'dc=example,dc=com',
  bindDn: 'cn=reader',
  bindPassword: { file: 'password' },
  tls: { ca: 'ca.pem' },
  schedule: '*/5 * * * *',
};

describe('a right configuration', () => {
  test('gets the defaults of the house plan', () => {
    const { config } = parsed({ domains: { 'example.com': { sources: ['people'] } }, sources: people });
    expect(config.domains['example.com']).toEqual({
      mode: 'observe',
      sources: ['people'],
      subaddress: ['+'],
      caseSensitive: false,
      includeSubdomains: false,
      always: ['postmaster', 'abuse'],
      patterns: [],
      catchAll: false,
      staleAfter: 48 * 3_600_000,
      whenStale: 'defer',
      removed: { deferFor: 24 * 3_600_000 },
      replies: {},
      tenant: 'default',
    });
    expect(config.sources['people']).toHaveProperty('guard', {
      removals: { percent: 5, floor: 10, domainPercent: 50 },
      growthPercent: 50,
      canaries: [],
    });
    expect(config.store).toEqual({ kind: 'sqlite' });
  });

  test('may have comments, trailing commas and a byte order mark', () => {
    expect(parsed('\uFEFF{ // why\n "dataDir": "x", /* and */ }').config.dataDir).toBe('/etc/rollcall/x');
  });

  test('has its paths counted from the folder of the file', () => {
    const { config } = parsed({
      domains: { 'example.com': { sources: ['people', 'staff'] } },
      sources: { ...people, staff },
      edges: { smtp: { listen: '127.0.0.1:0', tls: { cert: 'cert.pem', key: '/abs/key.pem' } } },
      log: { mail: '../mail.log' },
    });
    expect(config).toMatchObject({
      dataDir: '/etc/rollcall/data',
      sources: {
        people: { path: '/etc/rollcall/people.csv' },
        staff: { tls: { ca: '/etc/rollcall/ca.pem' }, bindPassword: { file: '/etc/rollcall/password' } },
      },
      edges: { smtp: { tls: { cert: '/etc/rollcall/cert.pem', key: '/abs/key.pem' } } },
      log: { mail: '/etc/mail.log' },
    });
  });

  test('has its domains keyed by A-label, and an alias domain the sources of its target', () => {
    const { config } = parsed({
      domains: {
        'Bücher.example': { sources: ['people', 'people'] },
        'example.net': { aliasOf: 'BÜCHER.example' },
      },
      sources: people,
    });
    expect(Object.keys(config.domains)).toEqual(['xn--bcher-kva.example', 'example.net']);
    expect(config.domains['example.net']).toMatchObject({
      aliasOf: 'xn--bcher-kva.example',
      sources: ['people'],
    });
    expect(config.domains['xn--bcher-kva.example']?.sources).toEqual(['people']);
  });

  test('takes one address to listen on, or several', () => {
    const { config } = parsed({
      edges: { policy: { listen: ['[::1]:10040', 'unix:/run/rollcall/policy.sock'] } },
      http: { listen: '127.0.0.1:8080' },
    });
    expect(config.edges.policy?.listen).toEqual([
      { host: '::1', port: 10040 },
      { path: '/run/rollcall/policy.sock' },
    ]);
    expect(config.http).toMatchObject({
      listen: [{ host: '127.0.0.1', port: 8080 }],
      uploadLimit: 256 * 1024 * 1024,
    });
  });

  test('lets two doors share port 0, which is a free one each', () => {
    const listen = '127.0.0.1:0';
    expect(
      parsed({ edges: { smtp: { listen }, policy: { listen } } }).config.edges.smtp?.listen,
    ).toHaveLength(1);
  });

  test('prints as a right configuration with the same meaning', () => {
    const { config } = parsed({
      tenants: { acme: {} },
      domains: {
        'example.com': { sources: ['staff'], staleAfter: '90m', replies: { unknown: 'No' } },
        'example.net': { aliasOf: 'example.com' },
        'acme.example': { sources: ['people'], tenant: 'acme' },
      },
      sources: { staff, people: { ...people.people, tenant: 'acme', columns: { address: 'mail' } } },
      edges: { smtp: { listen: '127.0.0.1:2525' }, policy: { listen: ['unix:/run/x.sock', '[::1]:1'] } },
      http: { listen: '127.0.0.1:8080', uploadLimit: 1_000_000 },
    });
    const printed = printConfig(config);
    expect(parsed(printed).config).toEqual(config);
    expect(printed).toMatchObject({
      domains: { 'example.com': { staleAfter: '90m' } },
      sources: { staff: { bindPassword: { file: '/etc/rollcall/password' }, timeLimit: '2m' } },
      edges: { smtp: { listen: ['127.0.0.1:2525'] } },
    });
  });
});

describe('warnings', () => {
  const domain = { sources: ['people'] };
  const rest = { sources: people };

  test('there are none for a plain configuration', () => {
    expect(parsed({ domains: { 'example.com': domain }, ...rest }).warnings).toEqual([]);
  });

  test.each([
    [
      'a catch-all',
      { domains: { 'a.example': { ...domain, catchAll: true } }, ...rest },
      'every local part is accepted',
    ],
    [
      'a source nobody uses',
      { domains: { 'a.example': { mode: 'off' } }, ...rest },
      'sources.people: no domain names',
    ],
    [
      'a list that goes stale between its runs',
      { domains: { 'a.example': domain }, sources: { people: { ...people.people, schedule: '@weekly' } } },
      '"people" runs only every 7d, "staleAfter" is 2d',
    ],
    [
      'a list nothing renews',
      { domains: { 'a.example': domain }, sources: { people: { kind: 'csv' } } },
      'has no schedule',
    ],
    [
      'an unverified certificate',
      {
        domains: { 'a.example': { sources: ['staff'] } },
        sources: { staff: { ...staff, tls: { verify: false } } },
      },
      'sources.staff.tls.verify: anyone between here and the directory can read the password',
    ],
    [
      'an anonymous bind',
      {
        domains: { 'a.example': { sources: ['staff'] } },
        sources: { staff: { kind: 'ldap', url: staff.url, baseDn: staff.baseDn, schedule: '@hourly' } },
      },
      'sources.staff: binds anonymously',
    ],
    [
      'a password over the wire',
      {
        domains: { 'a.example': { sources: ['staff'] } },
        sources: { staff: { ...staff, tls: {}, url: 'ldap://dc1.example.com', allowUnencrypted: true } },
      },
      'travels unencrypted',
    ],
    [
      'HTTP open to other machines',
      { domains: { 'a.example': domain }, ...rest, http: { listen: '0.0.0.0:8080' } },
      'http.listen: 0.0.0.0:8080 is open to other machines and HTTP is not encrypted',
    ],
    ['no domain at all', {}, 'no domain is configured'],
  ])('%s', (_name, value, warning) => {
    const { warnings } = parsed(value);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(warning);
  });

  test('a proxy that passes what is not ours, open to other machines', () => {
    const at = (listen: unknown) => {
      const proxy = { listen, nextHops: 'mail.example.com:25', foreignDomains: 'pass' };
      return parsed({ domains: { 'example.com': domain }, ...rest, edges: { proxy } }).warnings;
    };
    expect(at(['127.0.0.1:10025', 'unix:/run/rollcall/proxy.sock'])).toEqual([]);
    const open = 'whoever reaches [::]:25 may send mail anywhere';
    expect(at(['127.0.0.1:10025', '[::]:25']).filter((text) => text.includes(open))).toHaveLength(1);
  });

  test('a canary in a subdomain that is answered for is no mistake', () => {
    const guard = { canaries: ['ceo@hq.example.com'] };
    const domains = { 'example.com': { ...domain, includeSubdomains: true } };
    expect(parsed({ domains, sources: { people: { ...people.people, guard } } }).warnings).toEqual([]);
  });

  test('a secret file that every user can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const secret = join(folder, 'password');
    const config = join(folder, 'config.json');
    writeFileSync(secret, 'hunter2\n');
    const source = { ...staff, tls: {} };
    writeFileSync(
      config,
      JSON.stringify({ domains: { 'a.example': { sources: ['staff'] } }, sources: { staff: source } }),
    );
    chmodSync(secret, 0o644);
    const [warning] = loadConfig(config).warnings;
    expect(warning).toEqual({
      path: 'sources.staff.bindPassword',
      message: `every user of this machine can read ${secret}: chmod 600 it`,
    });
    chmodSync(secret, 0o600);
    expect(loadConfig(config).warnings).toEqual([]);
  });
});

test('a file that is not there is named, with what to do', () => {
  const missing = () => loadConfig('/no/such/config.json');
  expect(missing).toThrow('cannot read the configuration /no/such/config.json');
  expect(missing).toThrow(expect.objectContaining({ code: 'config' }) as Error);
});

test('a file nested beyond reason is refused, not a crash', () => {
  expect(parseConfig('['.repeat(200_000), { file })).toEqual({
    ok: false,
    issues: [{ path: '', message: 'nested too deeply to be a configuration' }],
  });
});
