/** A real Postfix as the next hop of the proxy: it believes what it is told about the client, and takes mail over TLS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { freePort } from '../support/free-port.js';
import { createPki, type Pki } from '../support/pki.js';
import { havePostfix, type Postfix } from '../support/postfix.js';
import { deliver, startBehind, startProxy } from './proxy-house.js';
import { known, unknown } from './scenario.js';

/** The proxy's own address is 127.0.0.1. */
const client = '127.0.0.5';
const shunned = '127.0.0.6';
const queued = /^250 2\.0\.0 Ok: queued as \w+$/;

describe.skipIf(!havePostfix)('Postfix as the next hop', () => {
  const defer = deferred();
  let pki: Pki;
  beforeAll(() => {
    pki = createPki();
  });
  afterAll(() => pki.remove());

  /** The port of the proxy, and the Postfix behind it. */
  async function house(more: object, mainCf: readonly string[]): Promise<{ port: number; behind: Postfix }> {
    const nextHop = await freePort();
    const { rollcall, edge } = await startProxy({
      listen: '127.0.0.1:0',
      nextHops: `127.0.0.1:${nextHop}`,
      ...more,
    });
    defer(() => rollcall.remove());
    const behind = await startBehind(nextHop, mainCf);
    defer(() => behind.stop());
    return { port: edge.port('proxy'), behind };
  }

  it.each([
    ['xclient', 'smtpd_authorized_xclient_hosts = 127.0.0.1'],
    ['proxy-v1', 'smtpd_upstream_proxy_protocol = haproxy'],
    ['proxy-v2', 'smtpd_upstream_proxy_protocol = haproxy'],
  ])(
    'judges the client itself when it is told by %s',
    async (clientInfo, setting) => {
      const { port, behind } = await house({ clientInfo }, [
        setting,
        `smtpd_client_restrictions = check_client_access inline:{${shunned}=REJECT}`,
      ]);
      const replies = await deliver(port, [known, unknown], client);
      expect(replies[2], behind.log()).toMatch(/^550 5\.1\.1 /);
      expect(replies.at(-1), behind.log()).toMatch(queued);
      expect(behind.log()).toMatch(/smtpd\[\d+\]: \w+: client=\S*\[127\.0\.0\.5\]/);
      const [, refused] = await deliver(port, [known], shunned);
      expect(refused, behind.log()).toMatch(/^554 5\.7\.1 .*\[127\.0\.0\.6\].*Client host rejected/);
    },
    60_000,
  );

  it('takes mail over TLS only, from a proxy that looks at its certificate', async () => {
    const { server } = pki.certificates;
    const nextHopTls = { mode: 'required', ca: pki.caPath };
    const { port, behind } = await house({ nextHopTls, clientInfo: 'xforward' }, [
      'smtpd_tls_security_level = encrypt',
      `smtpd_tls_cert_file = ${server.certPath}`,
      `smtpd_tls_key_file = ${server.keyPath}`,
      'smtpd_tls_loglevel = 1',
    ]);
    const replies = await deliver(port, [known, unknown], client);
    expect(replies[2], behind.log()).toMatch(/^550 5\.1\.1 /);
    expect(replies.at(-1), behind.log()).toMatch(queued);
    expect(behind.log()).toMatch(/TLS connection established from \S*\[127\.0\.0\.1\]: TLSv1\.[23] /);
    expect(behind.log()).toMatch(/orig_client=\S*\[127\.0\.0\.5\]/);
  }, 60_000);
});
