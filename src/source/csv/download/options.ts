/** What a download is told. Plain values: the composition root makes them from the configuration. */
export interface DownloadOptions {
  /** Where the list is, without the secret part of its query. */
  readonly url: string;
  /** Secret query: what follows the `?`. Never in a message, never in a cursor. */
  readonly secretQuery?: string | undefined;
  /** Sent to the host of `url` only, not to where it redirects. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of a CA to trust besides the public ones. */
  readonly ca: string | undefined;
  /** `environment`, `none`, or the URL of a proxy. */
  readonly proxy: string;
  /** For the whole download. */
  readonly timeoutMs: number;
  /** Longest silence of the server; default 30 s, and never more than `timeoutMs`. */
  readonly idleMs?: number;
  /** Of the list, unpacked. */
  readonly maxBytes: number;
  /** Folder for the list while it is read. */
  readonly spoolFolder: string;
  readonly now?: () => number;
}

/** How the list is called in messages: its address without the query, which may let somebody in. */
export function labelOf({ url }: Pick<DownloadOptions, 'url'>): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
