/**
 * An LDAP server that misbehaves on request, for faults that a real server does not show at will.
 *
 * Binds succeed for the account given (result 49 otherwise); the root DSE says what `rootDse` says; Who Am I gives the DN
 * of the bind; every other search goes to the `search` script, which writes its own answer. All that arrived is kept.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { BerReader, BerWriter, PagedResultsControl, PresenceFilter, SearchRequest } from 'ldapts';

export interface FakeSearch {
  readonly baseDn: string;
  readonly scope: string;
  /** As text (RFC 4515). */
  readonly filter: string;
  readonly sizeLimit: number;
  readonly timeLimit: number;
  readonly attributes: readonly string[];
  /** What the paged results control asked; undefined when there was none. */
  readonly paged: { readonly size: number; readonly cookie: string; readonly critical: boolean } | undefined;
  /** DN that this connection is bound as; empty for anonymous. */
  readonly boundAs: string;
  /** 1 for the first connection to the server. */
  readonly connection: number;
}

export interface Reply {
  entry(dn: string, attributes: Readonly<Record<string, string | Buffer | readonly string[]>>): void;
  /** The same entry so many times, in one write. */
  repeat(count: number, dn: string): void;
  reference(url: string): void;
  /** Ends the answer. A cookie, also an empty one, adds the paged results control. */
  done(result?: { code?: number; message?: string; cookie?: string }): void;
  /** Sends these bytes as they are. */
  raw(bytes: Buffer): void;
  /** Resets the connection. */
  reset(): void;
}

export interface FakeLdapOptions {
  readonly account?: { readonly dn: string; readonly password: string };
  /** Attributes of the root DSE; undefined: paging and Who Am I are supported. Null: it cannot be read. */
  readonly rootDse?: Readonly<Record<string, readonly string[]>> | null;
  /** Result of every bind instead of looking at the password. */
  readonly bindResult?: { readonly code: number; readonly message: string };
  /** Answer to Who Am I instead of the DN of the bind. */
  readonly whoAmI?: string;
  /** Runs on every extended request before it is answered; return false to leave it unanswered. */
  readonly onExtended?: (oid: string, socket: Socket) => boolean;
  readonly search: (request: FakeSearch, reply: Reply) => void;
}

export interface FakeLdap {
  readonly url: string;
  readonly searches: readonly FakeSearch[];
  readonly binds: readonly { dn: string; password: string }[];
  /** Connections that were made. */
  connections(): number;
  close(): Promise<void>;
}

const tags = {
  bind: 0x60,
  unbind: 0x42,
  search: 0x63,
  extended: 0x77,
  bindAnswer: 0x61,
  entry: 0x64,
  reference: 0x73,
  done: 0x65,
  extendedAnswer: 0x78,
  controls: 0xa0,
} as const;

const account = { dn: 'cn=reader,dc=example,dc=com', password: 'reader-secret' } as const;
const pagingAndWhoAmI = {
  supportedControl: [PagedResultsControl.type],
  supportedExtension: ['1.3.6.1.4.1.4203.1.11.3'],
} as const;

export async function startFakeLdap(options: FakeLdapOptions): Promise<FakeLdap> {
  const fake = new Fake(options);
  await once(fake.server.listen(0, '127.0.0.1'), 'listening');
  return fake;
}

class Fake implements FakeLdap {
  readonly searches: FakeSearch[] = [];
  readonly binds: { dn: string; password: string }[] = [];
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  constructor(readonly options: FakeLdapOptions) {
    this.server = createServer({ noDelay: true }, (socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      serve(this, socket, this.#connections);
    });
  }

  get url(): string {
    return `ldap://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  connections(): number {
    return this.#connections;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await once(this.server.close(), 'close');
  }
}

function serve(fake: Fake, socket: Socket, connection: number): void {
  let buffered = Buffer.alloc(0);
  const state = { boundAs: '', connection };
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const reader = new BerReader(buffered);
      if (reader.readSequence() === null || reader.remain < reader.length) return;
      const end = reader.offset + reader.length;
      reader.setBufferSize(end);
      buffered = buffered.subarray(end);
      handle(fake, socket, reader, state);
    }
  });
}

function handle(
  fake: Fake,
  socket: Socket,
  reader: BerReader,
  state: { boundAs: string; connection: number },
): void {
  const id = reader.readInt() ?? 0;
  const operation = reader.readSequence();
  if (operation === tags.unbind) socket.end();
  if (operation === tags.bind) {
    reader.readInt();
    const bind = { dn: reader.readString() ?? '', password: reader.readString(0x80) ?? '' };
    fake.binds.push(bind);
    const result = fake.options.bindResult ?? checkPassword(fake.options, bind);
    state.boundAs = result.code === 0 ? bind.dn : '';
    socket.write(message(id, tags.bindAnswer, (writer) => writeResult(writer, result)));
  }
  if (operation === tags.extended) {
    const oid = reader.readString(0x80) ?? '';
    if (fake.options.onExtended?.(oid, socket) === false) return;
    socket.write(extendedAnswer(id, oid, fake.options.whoAmI ?? state.boundAs));
  }
  if (operation === tags.search) search(fake, socket, reader, id, state);
}

function search(
  fake: Fake,
  socket: Socket,
  reader: BerReader,
  id: number,
  state: { boundAs: string; connection: number },
): void {
  const parsed = new SearchRequest({ messageId: id, filter: new PresenceFilter({ attribute: 'x' }) });
  parsed.parse(reader, []);
  const control = parsed.controls?.find((candidate) => candidate instanceof PagedResultsControl);
  const request: FakeSearch = {
    baseDn: parsed.baseDN,
    scope: parsed.scope,
    filter: parsed.filter.toString(),
    sizeLimit: parsed.sizeLimit,
    timeLimit: parsed.timeLimit,
    attributes: parsed.attributes,
    paged: control && {
      size: control.value?.size ?? 0,
      cookie: control.value?.cookie?.toString() ?? '',
      critical: control.critical,
    },
    ...state,
  };
  const reply = replyTo(socket, id);
  if (request.baseDn === '' && request.scope === 'base') {
    const { rootDse = pagingAndWhoAmI } = fake.options;
    if (rootDse !== null) reply.entry('', rootDse);
    reply.done({ code: rootDse === null ? 50 : 0 });
    return;
  }
  fake.searches.push(request);
  // What a script says at once arrives at once.
  socket.cork();
  fake.options.search(request, reply);
  socket.uncork();
}

function checkPassword(options: FakeLdapOptions, bind: { dn: string; password: string }): Result {
  const expected = options.account ?? account;
  const anonymous = bind.dn === '' && bind.password === '';
  return { code: anonymous || (bind.dn === expected.dn && bind.password === expected.password) ? 0 : 49 };
}

function replyTo(socket: Socket, id: number): Reply {
  return {
    entry: (dn, attributes) =>
      void socket.write(message(id, tags.entry, (writer) => writeEntry(writer, dn, attributes))),
    repeat: (count, dn) => {
      const one = message(id, tags.entry, (writer) => writeEntry(writer, dn, {}));
      socket.write(Buffer.concat(Array.from({ length: count }, () => one)));
    },
    reference: (url) => void socket.write(message(id, tags.reference, (writer) => writer.writeString(url))),
    done: ({ code = 0, message: text = '', cookie } = {}) =>
      void socket.write(
        message(id, tags.done, (writer) => writeResult(writer, { code, message: text }), cookie),
      ),
    raw: (bytes) => void socket.write(bytes),
    reset: () => void socket.resetAndDestroy(),
  };
}

interface Result {
  readonly code: number;
  readonly message?: string;
}

function writeResult(writer: BerWriter, result: Result): void {
  writer.writeEnumeration(result.code);
  writer.writeString('');
  writer.writeString(result.message ?? '');
}

function writeEntry(writer: BerWriter, dn: string, attributes: Parameters<Reply['entry']>[1]): void {
  writer.writeString(dn);
  writer.startSequence();
  for (const [type, value] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(type);
    writer.startSequence(0x31);
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as string | Buffer]) {
      writer.writeBuffer(Buffer.from(one as string), 0x04);
    }
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
}

function extendedAnswer(id: number, oid: string, boundAs: string): Buffer {
  return message(id, tags.extendedAnswer, (writer) => {
    const isWhoAmI = oid === pagingAndWhoAmI.supportedExtension[0];
    writeResult(writer, { code: isWhoAmI ? 0 : 2 });
    if (isWhoAmI) writer.writeString(boundAs === '' ? '' : `dn:${boundAs}`, 0x8b);
  });
}

function message(id: number, operation: number, body: (writer: BerWriter) => void, cookie?: string): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(operation);
  body(writer);
  writer.endSequence();
  if (cookie !== undefined) {
    writer.startSequence(tags.controls);
    new PagedResultsControl({ value: { size: 0, cookie: Buffer.from(cookie) } }).write(writer);
    writer.endSequence();
  }
  writer.endSequence();
  return writer.buffer;
}
