import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { createFrameReader, type Frame } from '../../src/edge/milter/codec.js';
import { createConversation } from '../../src/edge/milter/conversation.js';
import { clientOf, macroOf, pathOf } from '../../src/edge/milter/envelope.js';
import { negotiate } from '../../src/edge/milter/negotiation.js';
import { milterReply } from '../../src/edge/milter/reply.js';
import { replies } from '../../src/policy/verdict.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { decideByName } from './fake-decide.js';
import { encode, fullOffer } from './milter-client.js';

interface Reading {
  readonly frames: Frame[];
  readonly problem: string | undefined;
}

function read(chunks: readonly Buffer[]): Reading {
  const frames: Frame[] = [];
  const reader = createFrameReader();
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (typeof next === 'string') return { frames, problem: next };
      frames.push(next);
    }
  }
  return { frames, problem: undefined };
}

/** Cuts at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, at) => bytes.subarray(edges[at], end));
}

const session = [
  fullOffer,
  'D C | j | edge.example',
  'C client.example | 4 | 40000 | 192.0.2.7',
  'M <sender@client.example> | SIZE=100',
  'R <grüße@example.com>',
  'L Subject | R <known@example.com>',
  'N',
  'B a body',
  'E',
  'A',
  'Q',
];
const stream = Buffer.concat(session.map(encode));

describe('milter frames', () => {
  it('are the same wherever one cut is made', () => {
    const whole = read([stream]);
    expect(whole.frames.map(({ command }) => command).join('')).toBe('ODCMRLNBEAQ');
    for (let at = 0; at <= stream.length; at += 1) expect(read(cut(stream, [at]))).toEqual(whole);
    expect(read([...stream].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it('are the same from any bytes, however they are cut', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...session, 'Z', 'H x', `R ${'x'.repeat(300)}`).map(encode),
      fc.uint8Array({ maxLength: 20 }).map((all) => Buffer.from(all)),
    );
    const places = fc.array(fc.nat(1000), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), places, (all, at) => {
        const data = Buffer.concat(all);
        const inside = at.filter((place) => place <= data.length);
        expect(read(cut(data, inside))).toEqual(read([data]));
      }),
      { numRuns: 500 },
    );
  });

  it('of headers and body are thrown away as they come, up to a megabyte', () => {
    const size = 1_048_575;
    const reader = createFrameReader();
    reader.push(encode(`B ${'x'.repeat(size - 1)}`).subarray(0, size));
    expect(reader.next()).toBeUndefined();
    expect(reader.pending()).toBe(true);
    reader.push(Buffer.from('xxxxx'));
    expect(reader.next()).toEqual({ command: 'B', data: '' });
    expect(reader.pending()).toBe(false);
    expect(read([Buffer.from([0, 0x10, 0, 1, 0x42])]).problem).toMatch(/length/);
  });

  it('of 65,535 octets of data are the largest that are kept', () => {
    expect(read([encode(`R ${'x'.repeat(65_534)}`)]).frames[0]?.data).toHaveLength(65_535);
    expect(read([encode(`R ${'x'.repeat(65_535)}`)]).problem).toMatch(/length/);
  });

  it('have a letter at least', () => {
    expect(read([Buffer.from('\0\0\0\0E\0\0\0\x01E')])).toEqual({
      frames: [],
      problem: expect.stringMatching(/length/) as string,
    });
  });

  it('are not found in bytes that are not the protocol', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 2000 }), (all) => {
        const { frames } = read([Buffer.from(all).fill(0x20, 0, 1)]);
        expect(frames).toEqual([]);
      }),
    );
  });
});

describe('the negotiation', () => {
  const offer = (version: number, protocol: number): string =>
    encode(`O ${version} | 0x1ff | ${protocol}`).toString('latin1', 5);
  const all = { message: true };
  const none = { message: false };

  it('takes no bit that was not offered, and never those of RCPT, whatever is offered', () => {
    const forbidden = (1 << 3) | (1 << 15) | (1 << 10) | (1 << 11) | (1 << 0) | (1 << 2);
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        fc.integer({ min: 2, max: 9 }),
        fc.boolean(),
        (bits, version, message) => {
          const result = negotiate(offer(version, bits), { message });
          if (typeof result === 'string') throw new Error(result);
          expect((result.protocol & ~bits) >>> 0).toBe(0);
          expect(result.protocol & forbidden).toBe(0);
          expect(result.version).toBe(Math.min(version, 6));
        },
      ),
    );
  });

  it('leaves headers and body in when a check wants them, without an answer to each', () => {
    const without = negotiate(offer(6, 0x1fffff), none);
    const withMessage = negotiate(offer(6, 0x1fffff), all);
    expect(without).toEqual({ version: 6, protocol: 0xf73f2 });
    expect(withMessage).toEqual({ version: 6, protocol: 0xf7382 });
    expect(negotiate(offer(2, 0x7f), all)).toEqual({ version: 2, protocol: 0x02 });
  });
});

describe('a conversation that wants the message', () => {
  it.each([
    [6, 'nothing'],
    [2, { text: '\0\0\0\x01c' }],
  ])('takes headers and body of protocol %i', (version, answer) => {
    const conversation = createConversation({
      wants: { message: true },
      decide: decideByName,
      witness: () => undefined,
      log: silentLogger(),
    });
    const offer = encode(`O ${version} | 0x1f | ${version === 2 ? 0x7f : 0x1fffff}`).toString('latin1', 5);
    expect(conversation.take({ command: 'O', data: offer })).toMatchObject({
      text: expect.stringMatching(/O/) as string,
    });
    for (const command of ['L', 'L', 'N', 'B', 'B'])
      expect(conversation.take({ command, data: '' })).toEqual(answer);
    expect(conversation.take({ command: 'E', data: '' })).toEqual({ text: '\0\0\0\x01c' });
  });
});

describe('the envelope', () => {
  it.each([
    ['<a@b>', 'a@b'],
    ['<>', ''],
    ['a@b', 'a@b'],
    [' <a@b> ', 'a@b'],
    ['<"x>"@b>', '"x>"@b'],
    ['<@r.example:a@b>', '@r.example:a@b'],
    ['Some Body <a@b>', 'a@b'],
    ['>', '>'],
    ['', ''],
  ])('%s is the path %s', (typed, path) => {
    expect(pathOf(typed)).toBe(path);
  });

  it.each([
    ['x\x004\x9c\x40192.0.2.7\0', '192.0.2.7'],
    ['x\x006\0\x19IPv6:2001:db8::1\0', '2001:db8::1'],
    ['x\x006\0\x002001:db8::1\0', '2001:db8::1'],
    ['x\0U', undefined],
    ['x\0L\0\0/run/x.sock\0', undefined],
    ['x\x004\x9c\x40192.0.2.7', undefined],
    ['x\x004\x9c\x40\0', undefined],
    ['x\x004', undefined],
    ['x', undefined],
    ['', undefined],
  ])('CONNECT %j is the client %s', (data, client) => {
    expect(clientOf(data)).toBe(client);
  });

  it('has macros by name, not by value', () => {
    const data = 'Ri\0{rcpt_addr}\0{rcpt_addr}\0a@b\0';
    expect(macroOf(data, '{rcpt_addr}')).toBe('a@b');
    expect(macroOf(data, '{rcpt_host}')).toBeUndefined();
    expect(macroOf('', '{rcpt_host}')).toBeUndefined();
  });
});

describe('the answer', () => {
  const verdict = { ...replies.unknown, reason: 'unknown' } as const;

  it('doubles percent signs, which the MTA takes for a format', () => {
    expect(milterReply({ ...verdict, text: '100% sure: %s' })).toContain('550 5.1.1 100%% sure: %%s\0');
  });

  it('is one string of printable ASCII, never a bare code', () => {
    expect(milterReply({ ...verdict, text: 'one\r\n250 two\0\xff' }).slice(5)).toBe(
      '550 5.1.1 one 250 two\0',
    );
    expect(milterReply({ ...verdict, text: '\r\n' }).slice(5)).toBe('550 5.1.1 No reason given\0');
  });
});
