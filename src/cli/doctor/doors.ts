/**
 * The doors: each listen address is free, or answered by Rollcall itself.
 *
 * Asks as a client of that door would, about nobody whom anybody knows. A door that is not known here is only tried for whether
 * it is free. Bounded in time; leaves nothing behind.
 */
import { connect, createServer, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.js';
import type { Config } from '../../config/schema.js';
import { dialogues, type Dialogue } from './dialogues.js';
import { error, ok, warn, type Finding } from './finding.js';

interface Door {
  /** As under `edges`; `api` for the HTTP API of control. */
  readonly name: string;
  readonly address: ListenAddress;
}

const waitMs = 2000;

export async function checkDoors({ edges, http, exports }: Config): Promise<Finding[]> {
  const sections: [string, { readonly listen: readonly ListenAddress[] } | undefined][] =
    Object.entries(edges);
  const open = sections.flatMap(([name, section]) =>
    (section?.listen ?? []).map((address): Door => ({ name, address })),
  );
  const api = (http?.listen ?? []).map((address): Door => ({ name: 'api', address }));
  const none =
    open.length > 0 || Object.keys(exports).length > 0
      ? []
      : [
          warn(
            'edges',
            'none is configured',
            'No mail server can ask.',
            'Add "smtp" or "policy" under `edges`.',
          ),
        ];
  return [...none, ...(await Promise.all([...open, ...api].map(checkDoor)))];
}

async function checkDoor({ name, address }: Door): Promise<Finding> {
  const about = `${name === 'api' ? 'http' : name} on ${formatListenAddress(address)}`;
  if ('port' in address && address.port === 0) return ok(about, 'the system will give a free port');
  const dialogue = Object.hasOwn(dialogues, name) ? dialogues[name] : undefined;
  const answer = dialogue === undefined ? await isThere(address) : await converse(address, dialogue);
  if (answer === 'somebody') return ok(about, 'something listens there');
  if (answer === 'ours') return ok(about, 'Rollcall answers');
  if (answer === 'other') {
    const why = 'Rollcall cannot listen there.';
    return error(about, 'something else listens there', why, 'Stop it, or choose another address.');
  }
  return await tryToBind(about, address);
}

type Answer = 'ours' | 'other' | 'nobody';

/** Without a word of the door's language nobody can tell who it is. */
function isThere(address: ListenAddress): Promise<'somebody' | 'nobody'> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (answer: 'somebody' | 'nobody'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(waitMs, () => end('nobody'));
    socket.once('connect', () => end('somebody'));
    socket.once('error', () => end('nobody'));
  });
}

/** Connects, says its piece, and waits for the words that only Rollcall would say. */
function converse(address: ListenAddress, { waits, say, expect }: Dialogue): Promise<Answer> {
  return new Promise((resolve) => {
    let connected = false;
    let said = false;
    let heard = '';
    const socket: Socket = connect(address);
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const speak = (): void => {
      if (!said) socket.write(say);
      said = true;
    };
    const timer = setTimeout(() => end(connected ? 'other' : 'nobody'), waitMs);
    socket.once('connect', () => {
      connected = true;
      if (!waits) speak();
    });
    socket.on('data', (chunk) => {
      speak();
      heard = (heard + chunk.toString('latin1')).slice(-8192);
      if (expect.test(heard)) end('ours');
    });
    for (const event of ['error', 'close'] as const)
      socket.once(event, () => end(connected ? 'other' : 'nobody'));
  });
}

const bindMends: Readonly<Record<string, string>> = {
  EACCES: 'Choose a port above 1023, or grant the right (AmbientCapabilities=CAP_NET_BIND_SERVICE).',
  EADDRNOTAVAIL: 'This machine has no such address: choose one of `ip address`.',
  ENOENT: 'Create the folder of the socket.',
};

/** Nobody answers: listens for a moment to see whether Rollcall may. A unix socket's stale file is Rollcall's to remove. */
function tryToBind(about: string, address: ListenAddress): Promise<Finding> {
  if ('path' in address) return Promise.resolve(ok(about, 'free: nothing listens there now'));
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (failure: NodeJS.ErrnoException) => {
      const code = failure.code ?? 'unknown';
      const mend = bindMends[code] ?? 'Choose another address.';
      resolve(error(about, `it cannot be listened on (${code})`, 'The door stays shut.', mend));
    });
    server.listen({ ...address, exclusive: true }, () => {
      server.close(() => resolve(ok(about, 'free: nothing listens there now')));
    });
  });
}
