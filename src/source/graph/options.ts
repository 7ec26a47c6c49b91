/** What the Graph source needs to know. No configuration: plain values, secrets already resolved. */
import type { CollectionName } from './collections.js';

/** How the application proves who it is. */
export type GraphCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  /** PEM texts; the key is that of the certificate, RSA, not encrypted. */
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string };

export interface GraphSourceOptions {
  readonly name: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly credential: GraphCredential;
  /** Origin of the token service: `https://login.microsoftonline.com`. */
  readonly login: string;
  /** Origin of Microsoft Graph: `https://graph.microsoft.com`. */
  readonly graph: string;
  readonly include: readonly CollectionName[];
  /** The sign-in name counts as an address as well. */
  readonly userPrincipalName: boolean;
  /** Only where no disabled account can be a shared mailbox: Graph cannot tell the two apart. */
  readonly respectDisabled: boolean;
  /** `environment`: HTTPS_PROXY and NO_PROXY; `none`; or the URL of a proxy. */
  readonly proxy: string;
  /** PEM text of a CA that is trusted besides the usual ones. */
  readonly ca: string | undefined;
  /** Longest wait for one answer, once asked. */
  readonly timeoutMs: number;
}

/** Time and chance, so that tests need not wait for them. */
export interface Clock {
  readonly now: () => number;
  /** Rejects with the reason of the signal when that aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}
