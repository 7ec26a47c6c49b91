/** A line client for a protocol of netstrings: what it calls a line is the content of one. */
import type { ListenAddress } from '../../src/edge/bind.js';
import { openClient, type LineClient } from './client.js';

export function toNetstring(content: string): string {
  return `${Buffer.byteLength(content)}:${content},`;
}

export async function openNetstringClient(address: ListenAddress): Promise<LineClient> {
  const client = await openClient(address);
  const { socket } = client;
  const ready: string[] = [];
  let partial = '';
  let ended = false;
  let wake: (() => void) | undefined;
  socket.on('data', (chunk: Buffer) => {
    const { contents, rest } = readNetstrings(partial + chunk.toString('latin1'));
    ready.push(...contents);
    partial = rest;
    wake?.();
  });
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      ended = true;
      wake?.();
    });

  async function line(): Promise<string | undefined> {
    while (ready.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
    return ready.shift();
  }

  async function lines(count: number): Promise<string[]> {
    const got: string[] = [];
    for (let next = await line(); next !== undefined; next = await line()) {
      got.push(next);
      if (got.length >= count) break;
    }
    return got;
  }

  return { ...client, line, lines, rest: () => lines(Number.POSITIVE_INFINITY) };
}

/** The whole netstrings at the start of a text. Throws on what is none. */
export function readNetstrings(text: string): { readonly contents: string[]; readonly rest: string } {
  const contents: string[] = [];
  let start = 0;
  for (;;) {
    const length = /^(\d+):/.exec(text.slice(start, start + 10))?.[1];
    if (length === undefined) break;
    const end = start + length.length + 1 + Number(length);
    if (end >= text.length) break;
    if (text[end] !== ',') throw new Error(`no comma after a netstring: ${text.slice(start, end + 1)}`);
    contents.push(text.slice(end - Number(length), end));
    start = end + 1;
  }
  return { contents, rest: text.slice(start) };
}
