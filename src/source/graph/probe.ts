/**
 * A Graph source tried out: as whom we are signed in and with which permissions, how many objects there are, ten of them with
 * their addresses, and whether all that runs rely on is answered here as the documentation says. For people: see source-test.md.
 *
 * Reads and nothing else: some pages of each collection. Throws what a read throws when there is no token; whatever else would
 * end a read is an error here, and the other collections are tried all the same.
 */
import { X509Certificate } from 'node:crypto';
import { RollcallError } from '../../errors.js';
import { drawback, probeSampleSize, type ProbeFinding, type ProbeReport, well, wrong } from '../probe.js';
import type { Entry, FindContext } from '../source.js';
import type { GraphClient } from './client.js';
import { collectionNames, type Collection } from './collections.js';
import { formatCursor, parseCursor } from './cursor.js';
import { firstDelta, latestDelta, readDelta, type Item } from './delta.js';
import { findAddress } from './find.js';
import type { RetryLimits } from './http.js';
import { toEntry } from './mapping.js';
import type { GraphSourceOptions } from './options.js';
import { tellRoles } from './probe-roles.js';
import { readAgain } from './reread.js';

/** A person waits. */
const brief: RetryLimits = { tries: 3, waitMs: 20_000 };
const maxPages = 5;
const soonMs = 30 * 86_400_000;

export async function probeGraph(
  client: GraphClient,
  collections: readonly Collection[],
  options: GraphSourceOptions,
  { signal }: FindContext,
): Promise<ProbeReport> {
  const token = await client.tokens.get(signal);
  return new Probe(client, options, signal).run(collections, token);
}

interface Looked {
  readonly entries: readonly Entry[];
  readonly count: number;
  readonly seconds: number;
}

class Probe {
  readonly #findings: ProbeFinding[] = [];

  constructor(
    readonly client: GraphClient,
    readonly options: GraphSourceOptions,
    readonly signal: AbortSignal,
  ) {}

  async run(collections: readonly Collection[], token: string): Promise<ProbeReport> {
    const { client, options } = this;
    this.#findings.push(well('the token service gives a token'), ...this.#credential());
    const roles = tellRoles(token, collections);
    this.#findings.push(...roles.findings, ...this.#include());
    const looked: Looked[] = [];
    for (const collection of collections) {
      const one = await this.#try(collection.name, () => this.#look(collection));
      if (one !== undefined) looked.push(one);
    }
    const sample = spread(looked.map(({ entries }) => entries));
    const isWhole = looked.length === collections.length;
    if (isWhole) await this.#single(collections, sample);
    return {
      facts: [
        { name: 'server', value: client.host },
        {
          name: 'bound as',
          value: `application ${options.clientId}${roles.name} in tenant ${options.tenantId}`,
        },
        ...roles.facts,
      ],
      sample,
      ...(isWhole && { estimate: estimateOf(looked) }),
      findings: this.#findings,
    };
  }

  /** Undefined when it fails, and then it is told. */
  async #try<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      const hint = error instanceof RollcallError ? error.hint : '';
      this.#findings.push(
        wrong(`${what}: ${error.message}`, 'A run would fail, and the list stay as it was.', hint),
      );
      return undefined;
    }
  }

  async #look(collection: Collection): Promise<Looked> {
    const { client, signal } = this;
    const { name, permission } = collection;
    const count = await client.count({ url: `/v1.0/${name}/$count`, permission, limits: brief }, signal);
    const begun = performance.now();
    const { items, pages, link } = await this.#pages(collection, firstDelta(collection));
    const seconds = (performance.now() - begun) / 1000;
    this.#findings.push(well(`${name} can be read and counted: ${String(count)}`));
    if (pages > 1) this.#findings.push(well(`${name} come in pages, and the next one follows`));
    const entries = items.map((item) => toEntry(item, collection).entry);
    const holders = entries.filter(({ addresses }) => addresses.length > 0);
    if (items.length > 0 && holders.length === 0 && name !== 'contacts') this.#tellNone(name, items.length);
    await this.#changes(collection, link);
    await this.#byId(collection, items[0]);
    return { entries: holders, count, seconds: (seconds * Math.max(count, 1)) / Math.max(items.length, 1) };
  }

  async #pages(
    collection: Collection,
    start: string,
  ): Promise<{ items: Item[]; pages: number; link: string | undefined }> {
    const reading = readDelta(this.client, collection, start, this.signal, brief);
    const items: Item[] = [];
    for (let pages = 0; pages < maxPages; pages += 1) {
      const step = await reading.next();
      if (step.done === true) return { items, pages, link: step.value };
      items.push(...step.value.items.filter(({ removed }) => removed === undefined));
    }
    await reading.return('');
    return { items, pages: maxPages, link: undefined };
  }

  #tellNone(name: string, n: number): void {
    this.#findings.push(
      drawback(
        `none of the first ${String(n)} ${name} has an address`,
        'If some do take mail, the application is not shown their addresses, and they will be unknown.',
        'Compare with the admin centre; Directory.Read.All shows everything.',
      ),
    );
  }

  /** Whether a link to the changes is one that the next run can use. */
  async #changes(collection: Collection, known: string | undefined): Promise<void> {
    const { tenantId } = this.options;
    const found = known ?? (await this.#pages(collection, latestDelta(collection))).link ?? '';
    const cursor = formatCursor(tenantId, { links: { [collection.name]: found }, again: [] });
    const position = parseCursor(cursor, tenantId, this.client.origin, [collection]);
    this.#findings.push(
      typeof position === 'string'
        ? drawback(
            `the changes of ${collection.name} cannot be followed: ${position}`,
            'Every run reads everything.',
            'Please report it, with what this says.',
          )
        : well(`changes of ${collection.name} can be read`),
    );
  }

  async #byId(collection: Collection, item: Item | undefined): Promise<void> {
    if (item === undefined) return;
    const why = 'Runs ask so for objects of which the changes tell a part; now such a run reads everything.';
    try {
      const found = await readAgain(this.client, collection, [item.id], this.signal, brief);
      if (!found.has(item.id))
        this.#findings.push(drawback(`${collection.name} are not found by their id`, why, ''));
    } catch (error) {
      this.signal.throwIfAborted();
      const text = error instanceof Error ? error.message : '';
      this.#findings.push(drawback(`${collection.name} cannot be read by their id: ${text}`, why, ''));
    }
  }

  /** Confirm on a miss. */
  async #single(collections: readonly Collection[], sample: readonly Entry[]): Promise<void> {
    const [holder] = sample;
    const address = holder?.addresses[0]?.value;
    if (holder === undefined || address === undefined) return;
    const why = 'New people are known with the next run only, not at their first mail.';
    try {
      const found = await findAddress(this.client, collections, address, { signal: this.signal });
      this.#findings.push(
        found.some(({ id }) => id === holder.id)
          ? well('one address can be asked for (confirm on a miss)')
          : drawback('an address that is there is not found when it is asked for by itself', why, ''),
      );
    } catch (error) {
      this.signal.throwIfAborted();
      const text = error instanceof Error ? error.message : '';
      this.#findings.push(drawback(`one address cannot be asked for: ${text}`, why, ''));
    }
  }

  #include(): ProbeFinding[] {
    const missing = collectionNames.filter((name) => !this.options.include.includes(name));
    if (missing.length === 0) return [];
    const why = 'Their addresses are unknown, unless another source of the domain has them.';
    return [drawback(`${missing.join(' and ')} are not read`, why, 'Leave include out.')];
  }

  #credential(): ProbeFinding[] {
    const { credential } = this.options;
    if (credential.kind === 'secret') return [];
    const until = Date.parse(new X509Certificate(credential.certificate).validTo);
    const day = new Date(until).toISOString().slice(0, 10);
    return until - this.client.http.clock.now() < soonMs
      ? [
          drawback(
            `the certificate of the application ends on ${day}`,
            'From then on nothing is read.',
            'Make a new one and upload it to the app registration.',
          ),
        ]
      : [well(`the certificate of the application is good until ${day}`)];
  }
}

/** Some of each collection. */
function spread(all: readonly (readonly Entry[])[]): Entry[] {
  const turns = Array.from({ length: probeSampleSize }, (_, at) =>
    all.flatMap((entries) => entries[at] ?? []),
  );
  return turns.flat().slice(0, probeSampleSize);
}

function estimateOf(looked: readonly Looked[]): NonNullable<ProbeReport['estimate']> {
  const sum = (of: (one: Looked) => number): number => looked.reduce((total, one) => total + of(one), 0);
  const from = 'as the directory counts, those without an address included';
  return { entries: sum(({ count }) => count), from, exact: false, seconds: sum(({ seconds }) => seconds) };
}
