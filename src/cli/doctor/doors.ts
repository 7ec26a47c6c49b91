/**
 * The doors: each listen address is free, or answered by Rollcall itself.
 *
 * Asks as a client would: the greeting of SMTP, a policy request, `/healthz`. Bounded in time; leaves nothing behind.
 */
import { connect, createServer, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.js';
import type { Config } from '../../config/schema.js';
import { error, ok, warn, type Finding } from './finding.js';

interface Door {
  readonly name: 'smtp' | 'policy' | 'http';
  readonly address: ListenAddress;
}

interface Dialogue {
  /** The server speaks first (RFC 5321 §4.3.1). */
  readonly waits: boolean;
  readonly say: string;
  readonly expect: RegExp;
}

/** What is said to each door, and how Rollcall answers. */
const dialogues: Readonly<Record<Door['name'], Dialogue>> = {
  smtp: { waits: true, say: 'HELP\r\n', expect: /This server verifies recipients/ },
  policy: {
    waits: false,
    say: 'request=smtpd_access_policy\nprotocol_state=CONNECT\n\n',
    expect: /^action=/m,
  },
  http: {
    waits: false,
    say: 'GET /healthz HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n',
    expect: /"status":"alive"/,
  },
};

const waitMs = 2000;

export async function checkDoors({ edges, http }: Config): Promise<Finding[]> {
  const doors: Door[] = [
    ...(edges.smtp?.listen ?? []).map((address) => ({ name: 'smtp', address }) as const),
    ...(edges.policy?.listen ?? []).map((address) => ({ name: 'policy', address }) as const),
    ...(http?.listen ?? []).map((address) => ({ name: 'http', address }) as const),
  ];
  if (edges.smtp === undefined && edges.policy === undefined) {
    const why = 'No mail server can ask.';
    return [warn('edges', 'none is configured', why, 'Add "smtp" or "policy" under `edges`.')];
  }
  return await Promise.all(doors.map(checkDoor));
}

async function checkDoor({ name, address }: Door): Promise<Finding> {
  const about = `${name} on ${formatListenAddress(address)}`;
  if ('port' in address && address.port === 0) return ok(about, 'the system will give a free port');
  const answer = await converse(address, dialogues[name]);
  if (answer === 'ours') return ok(about, 'Rollcall answers');
  if (answer === 'other') {
    const why = 'Rollcall cannot listen there.';
    return error(about, 'something else listens there', why, 'Stop it, or choose another address.');
  }
  return await tryToBind(about, address);
}

type Answer = 'ours' | 'other' | 'nobody';

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
