import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { createNetstringParser, netstring } from '../../src/edge/socketmap/codec.js';
import { everyCut, cut, readAll, streams } from './cut.js';
import { toNetstring } from './netstring-client.js';

const read = (chunks: readonly Buffer[], max = 1000) => readAll(createNetstringParser(max), chunks);

const keys = ['recipients known@example.com', '', 'domains grüße.example', 'recipients "a,b:c"@example.com'];
const stream = Buffer.from(keys.map(toNetstring).join(''));

describe('netstring parser', () => {
  it('reads the same contents wherever they are cut', () => {
    const contents = keys.map((key) => Buffer.from(key).toString('latin1'));
    for (const chunks of everyCut(stream))
      expect(read(chunks)).toEqual({ requests: contents, problem: undefined });
  });

  it('reads the same from any bytes, however they are cut', () => {
    const pieces = [
      '0:,',
      '3:abc,',
      '3:',
      'abc',
      ',',
      ':',
      '1',
      '00',
      '12:recipients a,',
      '2:,,,',
      '-1:',
      '99',
    ];
    fc.assert(
      fc.property(streams(pieces), fc.integer({ min: 3, max: 60 }), ([data, places], max) => {
        expect(read(cut(data, places), max)).toEqual(read([data], max));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what is wrapped', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 100 })), (contents) => {
        const packed = Buffer.from(contents.map(netstring).join(''), 'latin1');
        expect(read([packed])).toEqual({ requests: contents, problem: undefined });
      }),
    );
  });

  it('takes a content of exactly the limit, and none longer', () => {
    const content = 'x'.repeat(100);
    expect(read([Buffer.from(netstring(content))], 100).requests).toEqual([content]);
    expect(read([Buffer.from(netstring(content))], 99)).toEqual({
      requests: [],
      problem: 'request too long',
    });
  });

  it('refuses a length above the limit before it keeps any of the content', () => {
    for (const length of ['100001:', '99999999999999999999:', '1'.repeat(5000)]) {
      const parser = createNetstringParser(100_000);
      expect(parser.push(Buffer.from(length), () => undefined)).toBe('request too long');
      expect(parser.pending()).toBe(false);
    }
  });

  it('refuses what is no netstring, after what was', () => {
    for (const wrong of ['x', ':', '-1:', '01:x,', '00:,', ' 1:x,', '1;x,', '1:x;', '3:abcd', '+1:x,'])
      for (const chunks of everyCut(Buffer.from(`3:abc,${wrong}`))) {
        const { requests, problem } = read(chunks);
        expect(requests, wrong).toEqual(['abc']);
        expect(problem, wrong).toMatch(/^not a netstring/);
      }
  });

  it('calls a length with leading zeros no length, above the limit too, wherever it is cut', () => {
    for (const chunks of everyCut(Buffer.from('3:abc,0099')))
      expect(read(chunks, 3)).toEqual({ requests: ['abc'], problem: 'not a netstring: no length' });
  });

  it('does not mind leading zeros without end', () => {
    const parser = createNetstringParser(1000);
    const problems = Array.from({ length: 3 }, () => parser.push(Buffer.from('0'), () => undefined));
    expect(problems[0]).toBeUndefined();
    expect(problems[1]).toMatch(/no length/);
  });

  it('knows whether a request has begun', () => {
    const parser = createNetstringParser(1000);
    expect(parser.pending()).toBe(false);
    for (const [bytes, pending] of [
      ['1', true],
      ['0:', true],
      ['123456789', true],
      ['0,', false],
      ['0:,', false],
    ] as const) {
      expect(parser.push(Buffer.from(bytes), () => undefined)).toBeUndefined();
      expect(parser.pending(), bytes).toBe(pending);
    }
  });
});
