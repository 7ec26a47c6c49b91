/**
 * A source of kind `graph`, as configured: Microsoft Entra ID, through Microsoft Graph. Refuses a secret in the file, and a
 * proxy URL with a password in it.
 */
import { z } from 'zod';
import { duration, flag, path, strict, word } from '../scalars.js';
import { secretSchema } from '../secret.js';
import { common, finishSecret, live, type Absolute } from './common.js';

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const tenantError =
  'must be the id of a directory, such as "3b6ab9a1-0c7e-4b7e-9f39-2f1d0c6f1a52", or one of its domains, such as "contoso.onmicrosoft.com"';
const tenantId = z
  .string({ error: tenantError })
  .refine((value) => guid.test(value) || /^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/i.test(value), {
    error: tenantError,
  })
  .meta({ 'x-type': 'tenant id or domain' });

const clientError =
  'must be the application (client) id of an app registration, such as "8f4c2a70-5d7b-4f0e-9a53-6c1c5f1f7e11"';
const clientId = z
  .string({ error: clientError })
  .regex(guid, { error: clientError })
  .meta({ 'x-type': 'application id' });

const endpoint = (example: string) => {
  const error = `must be an https:// URL without user, path or query, such as "${example}"`;
  return z
    .string({ error })
    .refine((value) => /^https:\/\/[^/?#@\s]+\/?$/i.test(value) && URL.canParse(value), { error })
    .meta({ 'x-type': 'URL' });
};

const proxyError =
  'must be "environment", "none", or the URL of a proxy such as "http://proxy.example.com:3128", without user and path';
const proxy = z
  .string({ error: proxyError })
  .refine((value) => value === 'environment' || value === 'none' || isProxyUrl(value), { error: proxyError })
  .meta({ 'x-type': '`"environment"`, `"none"`, or a URL' });

function isProxyUrl(value: string): boolean {
  return /^https?:\/\/[^/?#@\s]+\/?$/i.test(value) && URL.canParse(value);
}

const collections = ['users', 'groups', 'contacts'] as const;

export const graphSourceSchema = strict({
  kind: z
    .literal('graph')
    .describe('Microsoft Entra ID, read through Microsoft Graph. See directory-entra-id.md'),
  ...common,
  ...live,
  tenantId: tenantId.describe('The directory (tenant) id, on the overview page of Entra ID'),
  clientId: clientId.describe('The application (client) id of the app registration that Rollcall uses'),
  clientSecret: secretSchema.optional().describe('Value of a client secret of the application'),
  certificate: strict({
    file: path('a certificate').describe('PEM file of the certificate that was uploaded to the application'),
    key: secretSchema.describe('Its private key: RSA, PEM, without a passphrase'),
  })
    .optional()
    .describe('A certificate instead of a client secret. Its thumbprint is computed'),
  cloud: word(['global', 'usgov', 'usgov-dod', 'china'])
    .default('global')
    .describe(
      'The national cloud of the tenant. GCC is `global`, GCC High `usgov`, DoD `usgov-dod`, 21Vianet `china`',
    ),
  endpoints: strict({
    login: endpoint('https://login.microsoftonline.com').describe('The token service'),
    graph: endpoint('https://graph.microsoft.com').describe('Microsoft Graph'),
  })
    .optional()
    .describe('Where the services are, in a cloud that `cloud` does not know'),
  include: z
    .array(word(collections), { error: 'must be a list of "users", "groups" and "contacts"' })
    .min(1, { error: 'must name at least one of "users", "groups" and "contacts"' })
    .max(3, { error: 'must name each of "users", "groups" and "contacts" once at most' })
    .default([...collections])
    .describe('What is read. Without all three the list does not know every recipient'),
  userPrincipalName: flag()
    .default(false)
    .describe(
      'Take the sign-in name of users for an address as well. It need not be one: mail and proxyAddresses hold the addresses',
    ),
  noSharedMailboxes: flag()
    .default(false)
    .describe(
      'The tenant has no shared, room or equipment mailboxes. Only then may `respectDisabled` be true: Graph cannot tell their disabled accounts from those of leavers',
    ),
  proxy: proxy
    .default('environment')
    .describe(
      'How to reach the Internet: through the proxy of the variables `HTTPS_PROXY` and `NO_PROXY` if they are set, through none, or through this one',
    ),
  ca: path('a CA certificate')
    .optional()
    .describe('PEM file of a CA to trust besides the usual ones, such as that of a proxy that inspects TLS'),
  timeout: duration('1s', '5m').prefault('30s').describe('Longest wait for one answer'),
});

export type GraphSourceConfig = z.output<typeof graphSourceSchema>;

export function finishGraph(source: GraphSourceConfig, absolute: Absolute): GraphSourceConfig {
  const { clientSecret, certificate, ca } = source;
  return {
    ...source,
    ...(clientSecret !== undefined && { clientSecret: finishSecret(clientSecret, absolute) }),
    ...(certificate !== undefined && {
      certificate: { file: absolute(certificate.file), key: finishSecret(certificate.key, absolute) },
    }),
    ...(ca !== undefined && { ca: absolute(ca) }),
  };
}
