/**
 * The MTA's side of a milter connection for tests, written from the protocol's description and not with the edge's own
 * codec. Frames are shown as text: `R <person@example.com>`, `C client.example | 4 | 40000 | 192.0.2.7`,
 * `O 6 | 0x1ff | 0x1fffff`, `D R | {rcpt_addr} | person@example.com`: a letter, and what follows it, divided by ` | `.
 */
import { connect, type Socket } from 'node:net';
import type { ListenAddress } from '../../src/edge/bind.js';
import { target } from './client.js';

/** All that a version 6 MTA offers: 0x1ff actions, and every protocol bit up to the leading space of headers. */
export const fullOffer = 'O 6 | 0x1ff | 0x1fffff';

export interface MilterClient {
  readonly socket: Socket;
  /** Sends the frames in one packet. */
  send(...shown: readonly string[]): void;
  sendRaw(bytes: Buffer): void;
  /** The next answer; undefined when the edge has closed. */
  answer(): Promise<string | undefined>;
  /** All that comes until the edge closes. */
  rest(): Promise<string[]>;
  close(): void;
}

export async function openMilter(address: ListenAddress): Promise<MilterClient> {
  const socket = connect({ ...target(address), allowHalfOpen: true, noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let bytes = Buffer.alloc(0);
  let ended = false;
  let wake: (() => void) | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    wake?.();
  });
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      ended = true;
      wake?.();
    });

  function take(): string | undefined {
    if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) return undefined;
    const end = 4 + bytes.readUInt32BE(0);
    const shown = show(bytes.subarray(4, end));
    bytes = bytes.subarray(end);
    return shown;
  }

  async function answer(): Promise<string | undefined> {
    for (;;) {
      const next = take();
      if (next !== undefined || ended) return next;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return {
    socket,
    send: (...shown) => void socket.write(Buffer.concat(shown.map(encode))),
    sendRaw: (raw) => void socket.write(raw),
    answer,
    async rest() {
      const all: string[] = [];
      for (let next = await answer(); next !== undefined; next = await answer()) all.push(next);
      return all;
    },
    close: () => socket.destroy(),
  };
}

/** One frame from its text. */
export function encode(shown: string): Buffer {
  const letter = shown.slice(0, 1);
  const words = shown.slice(2).split(' | ');
  const data = shown.length < 2 ? Buffer.alloc(0) : encodeData(letter, words);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(1 + data.length);
  frame.write(letter, 4);
  return Buffer.concat([frame, data]);
}

function encodeData(letter: string, words: readonly string[]): Buffer {
  if (letter === 'O') return Buffer.concat(words.map((word) => uint32(Number(word))));
  const [first = '', second, port, address] = words;
  if (letter === 'D') return Buffer.from(first + words.slice(1).map(terminated).join(''));
  if (letter !== 'C') return Buffer.from(words.map(terminated).join(''));
  const family = Buffer.from(terminated(first) + (second ?? ''));
  if (port === undefined) return family;
  const number = Buffer.alloc(2);
  number.writeUInt16BE(Number(port));
  return Buffer.concat([family, number, Buffer.from(terminated(address ?? ''))]);
}

function terminated(word: string): string {
  return `${word}\0`;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function show(frame: Buffer): string {
  const letter = frame.toString('latin1', 0, 1);
  const data = frame.subarray(1);
  if (letter === 'O') {
    const hex = (at: number): string => `0x${data.readUInt32BE(at).toString(16)}`;
    return `O ${data.readUInt32BE(0)} | ${hex(4)} | ${hex(8)}`;
  }
  if (data.length === 0) return letter;
  if (data.at(-1) !== 0) return `${letter} ${data.toString('latin1')} (no NUL at its end)`;
  return `${letter} ${data.toString('utf8', 0, data.length - 1).replaceAll('\0', ' | ')}`;
}
