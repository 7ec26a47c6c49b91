/** The lines that are printed for each mail server: addresses as configured, safe whatever the rest of its configuration says. */
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/cli/snippet/facts.js';
import { mtas } from '../../src/cli/snippet/mtas.js';
import { makeSnippet, otherWays } from '../../src/cli/snippet/snippets.js';
import { RollcallError } from '../../src/errors.js';

const at = (port: number) => [{ host: '127.0.0.1', port }];

const facts: Facts = {
  doors: {
    smtp: at(2525),
    policy: at(10040),
    milter: at(10041),
    proxy: at(10042),
    socketmap: at(10044),
    tcp: at(10045),
    readsocket: at(10046),
    http: at(10047),
  },
  nextHops: ['127.0.0.1:10043'],
  domains: [{ name: 'example.com', mode: 'enforce', includeSubdomains: false, subaddress: ['+'] }],
};

function lines(mta: (typeof mtas)[number], door: string | undefined, given: Facts = facts): string[] {
  return makeSnippet(mta, given, door).files.flatMap((file) => file.lines);
}

function failure(make: () => unknown): RollcallError {
  try {
    make();
  } catch (error) {
    if (error instanceof RollcallError) return error;
  }
  throw new Error('it did not fail');
}

describe('snippets', () => {
  it.each([
    ['postfix', 'policy', 'check_policy_service { inet:127.0.0.1:10040, timeout=10s,'],
    ['postfix', 'socketmap', 'relay_recipient_maps = socketmap:inet:127.0.0.1:10044:recipients'],
    ['postfix', 'tcp', 'relay_recipient_maps = tcp:127.0.0.1:10045'],
    ['postfix', 'milter', '{ inet:127.0.0.1:10041, default_action=tempfail'],
    ['postfix', 'smtp', 'example.com=rollcall_verify:[127.0.0.1]:2525'],
    ['postfix', 'proxy', '-o smtpd_proxy_filter=127.0.0.1:10042'],
    ['exim', 'readsocket', '${readsocket{inet:127.0.0.1:10046}'],
    ['exim', 'smtp', 'port = 2525'],
    ['sendmail', 'milter', 'S=inet:10041@127.0.0.1, F=T'],
    ['sendmail', 'socketmap', 'Krecipients socket -f -q -T<TMPF> inet:10044@127.0.0.1'],
    ['haraka', 'http', 'http://127.0.0.1:10047'],
  ] as const)('%s through %s names the address that is configured', (mta, door, text) => {
    expect(lines(mta, door).join('\n')).toContain(text);
  });

  it('takes the door that suits best of those that are there, and tells of the others', () => {
    const { policy: _, ...doors } = facts.doors;
    expect(makeSnippet('postfix', facts).door).toBe('policy');
    expect(makeSnippet('postfix', { ...facts, doors }).door).toBe('socketmap');
    expect(otherWays('postfix', { ...facts, doors }, 'socketmap')).toContainEqual({
      door: 'policy',
      configured: false,
      example: '"policy": { "listen": "127.0.0.1:10040" }',
    });
  });

  it('without a door says what to add', () => {
    for (const mta of mtas) {
      const { code, hint } = failure(() => makeSnippet(mta, { doors: {}, domains: [] }));
      expect([mta, code]).toEqual([mta, 'config']);
      expect(hint).toMatch(/^Add under `edges`: "\w+": \{ "listen"/);
    }
    expect(failure(() => makeSnippet('exim', facts, 'policy'))).toMatchObject({ code: 'usage' });
  });

  it('a wildcard is reached over loopback, a unix socket by its path', () => {
    const doors = { policy: [{ host: '::', port: 7 }], milter: [{ host: '0.0.0.0', port: 8 }] };
    expect(lines('postfix', 'policy', { ...facts, doors }).join()).toContain('inet:[::1]:7,');
    expect(lines('postfix', 'milter', { ...facts, doors }).join()).toContain('inet:127.0.0.1:8,');
    const inQueue = { policy: [{ path: '/var/spool/postfix/rollcall/p.sock' }] };
    expect(lines('postfix', 'policy', { ...facts, doors: inQueue }).join()).toContain(
      'unix:rollcall/p.sock,',
    );
    const elsewhere = makeSnippet('postfix', { ...facts, doors: { policy: [{ path: '/run/p.sock' }] } });
    expect(elsewhere.files[0]?.lines.join()).toContain('unix:/run/p.sock,');
    expect(elsewhere.notes.join()).toContain('A chrooted smtpd');
  });

  it('refuses port 0: the next start would take another', () => {
    const doors = { policy: [{ host: '127.0.0.1', port: 0 }] };
    expect(failure(() => makeSnippet('postfix', { ...facts, doors }))).toMatchObject({ code: 'config' });
  });

  it('never fails open, and never defers for good whom nobody knows', () => {
    for (const mta of mtas) {
      for (const { door } of otherWays(mta, facts, '')) {
        if (door === 'export') continue;
        const text = lines(mta, door)
          .filter((line) => !/^\s*(#|dnl)/.test(line))
          .join('\n');
        expect(text).not.toMatch(/DUNNO|default_action=accept|defer_ok|reject_code = 450/);
      }
    }
  });

  const observing: Facts = {
    ...facts,
    domains: [
      ...facts.domains,
      { name: 'new.test', mode: 'observe', includeSubdomains: false, subaddress: [] },
    ],
  };

  it.each(['policy', 'milter', 'smtp'])(
    'leaves a list of your own alone while a domain observes: %s',
    (door) => {
      expect(lines('postfix', door)).toContain('relay_recipient_maps =');
      expect(lines('postfix', door, observing)).not.toContain('relay_recipient_maps =');
      expect(lines('postfix', door, observing)).toContain('#relay_recipient_maps =');
    },
  );

  it('a map that observes switches the list of your own off, and says so', () => {
    expect(makeSnippet('postfix', observing, 'socketmap').notes.join()).toContain('switches it off');
    expect(makeSnippet('postfix', facts, 'socketmap').notes.join()).not.toContain('switches it off');
  });

  it.each([
    ['postfix', 'policy', 'timeout=10s,', 'timeout=30s,'],
    ['postfix', 'milter', 'command_timeout=10s', 'command_timeout=30s'],
    ['sendmail', 'milter', 'R:10s', 'R:30s'],
    ['exim', 'readsocket', '{10s}', '{30s}'],
    ['exim', 'smtp', 'callout=10s', 'callout=30s'],
  ] as const)('%s through %s waits for as long as a verdict may take', (mta, door, short, long) => {
    expect(lines(mta, door).join()).toContain(short);
    expect(lines(mta, door, { ...facts, asksAhead: true }).join()).toContain(long);
  });

  it('prints a second service of Postfix only where the next hop is this machine', () => {
    const at = (hop: string, ownAddresses: string[] = []) =>
      makeSnippet('postfix', { ...facts, nextHops: [hop], ownAddresses }, 'proxy');
    const text = (hop: string, own?: string[]) =>
      at(hop, own)
        .files.flatMap((file) => file.lines)
        .join('\n');
    expect(text('127.0.0.1:10043')).toContain('127.0.0.1:10043 inet');
    expect(text('[::1]:10043')).toContain('[::1]:10043 inet');
    expect(text('192.0.2.7:25')).not.toContain('192.0.2.7:25 inet');
    expect(at('192.0.2.7:25').notes.join()).toContain('another machine');
    const own = text('192.0.2.7:25', ['192.0.2.7']);
    expect(own).toContain('192.0.2.7:25 inet');
    expect(own).toContain('smtpd_client_restrictions=permit_mynetworks,reject');
  });

  it('says what to do about mail to other domains at the proxy, and about aliases that Postfix alone knows', () => {
    const notes = (given: Facts, door: string) => makeSnippet('postfix', given, door).notes.join();
    expect(notes(facts, 'proxy')).toContain('Set edges.proxy.foreignDomains to "pass"');
    expect(notes({ ...facts, proxyForeign: 'pass' }, 'proxy')).toContain('nobody but this Postfix may reach');
    for (const door of ['policy', 'milter', 'proxy'])
      expect(notes(facts, door)).toContain('virtual_alias_maps');
  });

  it('one line of an address list cannot begin a line of its own', () => {
    for (const mta of mtas) {
      for (const { door } of otherWays(mta, facts, '')) {
        if (door === 'export') continue;
        for (const line of lines(mta, door)) expect(line).not.toMatch(/[\r\n]/);
      }
    }
  });
});
