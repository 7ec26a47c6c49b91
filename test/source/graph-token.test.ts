/** How the application signs in, through msal-node itself: secrets, certificates, tokens that end, proxies. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clouds } from '../../src/source/graph/clouds.js';
import { createApplicationKey, encrypted, type ApplicationKey } from '../support/application-key.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { FakeClock, graphSource } from '../support/graph-client.js';
import { startGraph, throttled, unavailable, type LocalGraph } from '../support/graph-server.js';
import { createPki, type Pki } from '../support/pki.js';
import { readWhole } from '../support/read-source.js';

let pki: Pki;
let app: ApplicationKey;
let other: ApplicationKey;
let graph: LocalGraph;
beforeAll(() => {
  pki = createPki();
  app = createApplicationKey();
  other = createApplicationKey();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  const secrets = { right: 'valid', old: 'expired' } as const;
  graph = await startGraph({ pki, application: { secrets, certificate: app.certificate } });
  graph.directory.addUser('ann@example.com');
});
afterEach(() => graph.stop());

type Options = NonNullable<Parameters<typeof graphSource>[2]>;
const right: Options = { credential: { kind: 'secret', secret: 'right' } };
async function addresses(options: Options, clock = new FakeClock()): Promise<readonly string[]> {
  return (await readWhole(graphSource(graph, pki, options, clock))).addresses;
}
const tokensAsked = (): number => graph.requests.filter(({ method }) => method === 'POST').length;
const failure = (text: RegExp, hint: RegExp): Record<string, unknown> => ({
  message: expect.stringMatching(text) as string,
  hint: expect.stringMatching(hint) as string,
});

describe('a client secret', () => {
  it('signs in, once for the whole read', async () => {
    expect(await addresses(right)).toEqual(['ann@example.com']);
    expect(tokensAsked()).toBe(1);
  });

  it.each([
    [
      'wrong',
      { credential: { kind: 'secret', secret: 'wrong' } },
      /client secret is wrong \(.*AADSTS7000215/,
      /not its id/,
    ],
    [
      'expired',
      { credential: { kind: 'secret', secret: 'old' } },
      /client secret has expired.*AADSTS7000222/,
      /new client secret/,
    ],
    [
      'of another application',
      { clientId: '00000000-0000-4000-8000-000000000000' },
      /no such application.*AADSTS700016/,
      /clientId/,
    ],
    [
      'of another tenant',
      { tenantId: '11111111-0000-4000-8000-000000000000' },
      /no such tenant \(AADSTS90002/,
      /tenantId, and cloud/,
    ],
  ] as const)('that is %s is explained', async (_, wrong, text, hint) => {
    const reading = addresses({ ...right, ...wrong });
    await expect(reading).rejects.toMatchObject({ code: 'source', ...failure(text, hint) });
  });

  it('is in no message', async () => {
    const credential = { kind: 'secret', secret: 'a-very-secret-value' } as const;
    const error: unknown = await addresses({ credential }).catch((cause: unknown) => cause);
    expect(JSON.stringify([error, String(error)])).not.toContain('a-very-secret-value');
  });
});

describe('a certificate', () => {
  const signed = (changes: Partial<ApplicationKey> = {}): Options => ({
    credential: { kind: 'certificate', ...app, ...changes },
  });

  it('signs in with an assertion that a service can verify', async () => {
    expect(await addresses(signed())).toEqual(['ann@example.com']);
  });

  it('that was not uploaded is explained', async () => {
    const text = /certificate is not one of the application.*AADSTS700027/;
    await expect(addresses(signed(other))).rejects.toMatchObject(failure(text, /Upload the certificate/));
  });

  it.each([
    ['encrypted', () => signed({ key: encrypted(app.key) }), /certificate.key: is encrypted/],
    ['of another certificate', () => signed({ key: other.key }), /is not the key of that certificate/],
    ['not RSA', () => signed(createApplicationKey('ec')), /is ec, and Entra takes RSA keys only/],
    ['no key', () => signed({ key: 'secret' }), /is not a private key in PEM/],
  ])('with a key that is %s is refused before anything is sent', async (_, options, text) => {
    await expect(addresses(options())).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(text) as string,
    });
    expect(tokensAsked()).toBe(0);
  });

  it('that has expired is refused before anything is sent', async () => {
    const clock = new FakeClock();
    clock.time += 31 * 86_400_000;
    await expect(addresses(signed(), clock)).rejects.toThrow(/certificate.file: expired on /);
  });
});

describe('a token', () => {
  it('that ends in the middle of a read is replaced, and nothing is lost', async () => {
    for (let i = 0; i < 9; i += 1) graph.directory.addUser(`p${i}@example.com`);
    graph.delta.pageSize = 3;
    const { report, addresses: all } = await readWhole(graphSource(graph, pki, right), {
      onBatch: () => graph.login.revoke(),
    });
    expect(all).toHaveLength(10);
    expect(report.complete).toBe(true);
    expect(graph.login.issued.length).toBeGreaterThan(3);
  });

  it('is replaced before it ends, so that none is refused', async () => {
    const clock = new FakeClock();
    const secrets = { right: 'valid' } as const;
    const timed = await startGraph({ pki, now: clock.now, application: { secrets } });
    try {
      for (let i = 0; i < 9; i += 1) timed.directory.addUser(`p${i}@example.com`);
      timed.delta.pageSize = 3;
      let before = 0;
      await readWhole(graphSource(timed, pki, right, clock), {
        onBatch: (entries) => {
          if (entries > before) clock.time += 28 * 60_000;
          before = entries;
        },
      });
      expect(timed.login.issued).toHaveLength(2);
      // three counts before and after, three pages of users, one of groups and one of contacts
      expect(timed.requests.filter(({ server }) => server === 'graph')).toHaveLength(11);
    } finally {
      await timed.stop();
    }
  });

  it('that is not taken twice in a row is an error, not a loop', async () => {
    const reply = { status: 401, body: { error: { code: 'InvalidAuthenticationToken', message: 'no' } } };
    graph.faults.push({ path: /^\/v1.0/, times: 99, reply });
    await expect(addresses(right)).rejects.toMatchObject(failure(/token is not taken/, /clock/));
    expect(tokensAsked()).toBe(2);
  });

  it('is asked for once, however many wait for it', async () => {
    const source = graphSource(graph, pki, right);
    const asked = Array.from({ length: 10 }, async (_, i) =>
      source.find?.(`p${i}@example.com`, { signal: new AbortController().signal }),
    );
    await Promise.all(asked);
    expect(tokensAsked()).toBe(1);
    await source.close?.();
  });

  it('is asked for again when the token service is throttled or down for a while', async () => {
    graph.faults.push({ path: /oauth2\/v2.0\/token/, times: 1, reply: throttled(7) });
    graph.faults.push({ path: /oauth2\/v2.0\/token/, times: 1, reply: unavailable });
    graph.faults.push({ path: /oauth2\/v2.0\/token/, times: 1, reply: 'reset' });
    const clock = new FakeClock();
    expect(await addresses(right, clock)).toEqual(['ann@example.com']);
    expect(clock.slept[0]).toBeGreaterThanOrEqual(7000);
    expect(clock.slept).toHaveLength(3);
  });
});

describe('a missing permission', () => {
  it.each([
    ['users', 'User.Read.All'],
    ['groups', 'GroupMember.Read.All'],
    ['contacts', 'OrgContact.Read.All'],
  ])('to read %s is named', async (_, permission) => {
    graph.granted.delete(permission);
    const text = new RegExp(
      `needs ${permission.replaceAll('.', '\\.')} \\(HTTP 403 Authorization_RequestDenied`,
    );
    await expect(addresses(right)).rejects.toMatchObject(failure(text, /grant admin consent/));
  });
});

describe('the way there', () => {
  it('leads through the configured proxy, for tokens and for the directory', async () => {
    const proxy = await startConnectProxy();
    try {
      expect(await addresses({ ...right, proxy: proxy.url })).toEqual(['ann@example.com']);
      const hosts = [graph.loginOrigin, graph.origin].map((origin) => new URL(origin).host);
      expect(new Set(proxy.tunnels)).toEqual(new Set(hosts));
    } finally {
      await proxy.stop();
    }
  });

  it('leads through the proxy of the environment, but for the hosts of NO_PROXY', async () => {
    const proxy = await startConnectProxy();
    const before = { ...process.env };
    try {
      process.env['HTTPS_PROXY'] = proxy.url;
      process.env['NO_PROXY'] = new URL(graph.loginOrigin).host;
      expect(await addresses({ ...right, proxy: 'environment' })).toEqual(['ann@example.com']);
      expect(new Set(proxy.tunnels)).toEqual(new Set([new URL(graph.origin).host]));
      proxy.tunnels.length = 0;
      expect(await addresses({ ...right, proxy: 'none' })).toEqual(['ann@example.com']);
      expect(proxy.tunnels).toEqual([]);
    } finally {
      process.env = before;
      await proxy.stop();
    }
  });

  it.each([
    ['global', 'login.microsoftonline.com', 'graph.microsoft.com'],
    ['usgov', 'login.microsoftonline.us', 'graph.microsoft.us'],
    ['usgov-dod', 'login.microsoftonline.us', 'dod-graph.microsoft.us'],
    ['china', 'login.chinacloudapi.cn', 'microsoftgraph.chinacloudapi.cn'],
  ] as const)(
    'leads to the token service of its own cloud, and to no other: %s',
    async (cloud, login, host) => {
      const proxy = await startConnectProxy({ refuse: true });
      try {
        const reading = addresses({ ...right, ...clouds[cloud], proxy: proxy.url, ca: undefined });
        await expect(reading).rejects.toMatchObject({ code: 'source' });
        expect(new Set(proxy.tunnels)).toEqual(new Set([`${login}:443`]));
        expect(clouds[cloud].graph).toBe(`https://${host}`);
      } finally {
        await proxy.stop();
      }
    },
  );

  it('is explained when a proxy is not there', async () => {
    const reading = addresses({ ...right, proxy: 'http://127.0.0.1:1' });
    await expect(reading).rejects.toMatchObject(failure(/connection refused/, /proxy/));
  });

  it('is explained when something in between signs with a CA of its own', async () => {
    await expect(addresses({ ...right, ca: pki.otherCa })).rejects.toMatchObject(
      failure(/TLS: the certificate is signed by a CA that is not trusted here/, /set ca/),
    );
  });

  it('ends with the time limit when nobody answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const clock = new FakeClock();
    const login = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expect(addresses({ ...right, login, timeoutMs: 100 }, clock)).rejects.toMatchObject(
      failure(/in time|no answer within 100 ms/, /proxy/),
    );
    expect(clock.slept).toHaveLength(3);
    silent.close();
  });
});
