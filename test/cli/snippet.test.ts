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
    ['postfix', 'smtp', 'example.com=smtp:[127.0.0.1]:2525'],
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

  it('one line of an address list cannot begin a line of its own', () => {
    for (const mta of mtas) {
      for (const { door } of otherWays(mta, facts, '')) {
        if (door === 'export') continue;
        for (const line of lines(mta, door)) expect(line).not.toMatch(/[\r\n]/);
      }
    }
  });
});
