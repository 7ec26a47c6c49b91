import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { createReadsocketParser } from '../../src/edge/readsocket/codec.js';
import { createTcpParser, maxTcpLine, tcpReply } from '../../src/edge/tcp-table/codec.js';
import { cut, everyCut, readAll, streams } from './cut.js';

const tcp = (chunks: readonly Buffer[]) => readAll(createTcpParser(), chunks);
const readsocket = (chunks: readonly Buffer[], max = 1000) => readAll(createReadsocketParser(max), chunks);
const text = (...lines: string[]) => Buffer.from(lines.join(''));

describe('tcp_table parser', () => {
  const stream = text(
    'get known@example.com\n',
    'put a b\n',
    'get gr%C3%BC%c3%9Fe%20x@example.com\r\n',
    'get \n',
  );

  it('reads the same requests wherever they are cut', () => {
    const requests = [
      { verb: 'get', key: 'known@example.com' },
      { verb: 'put' },
      { verb: 'get', key: Buffer.from('grüße x@example.com').toString('latin1') },
      { verb: 'get', key: '' },
    ];
    for (const chunks of everyCut(stream)) expect(tcp(chunks)).toEqual({ requests, problem: undefined });
  });

  it('reads the same from any bytes, however they are cut', () => {
    const pieces = ['get a@b\n', 'get ', '%', '41', '%4', '\n', '\r\n', '\r', 'put x\n', 'x', '\0'];
    fc.assert(
      fc.property(streams(pieces), ([data, places]) => {
        expect(tcp(cut(data, places))).toEqual(tcp([data]));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back any key that is encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (key) => {
        const line = tcpReply(200, key).replace('200', 'get');
        expect(line).toMatch(/^get [!-~]*\n$/);
        expect(tcp([Buffer.from(line, 'latin1')]).requests).toEqual([{ verb: 'get', key }]);
      }),
    );
  });

  it('refuses what is not the protocol', () => {
    for (const wrong of [
      'GET a\n',
      'get\n',
      'get a%\n',
      'get a%4\n',
      'get a%zz\n',
      '\n',
      'put\n',
      ' get a\n',
    ])
      expect(tcp([text('get x\n', wrong)]), wrong).toMatchObject({
        requests: [{ key: 'x' }],
        problem: expect.stringMatching(/^not a request/) as unknown,
      });
  });

  it('takes a line of exactly 4096 bytes, and none longer', () => {
    const line = `get ${'x'.repeat(maxTcpLine - 5)}\n`;
    for (const chunks of [[text(line)], cut(text(line), [maxTcpLine - 1])])
      expect(tcp(chunks).requests).toHaveLength(1);
    for (const chunks of [[text('get x', line.slice(4))], [text(line.slice(0, -1), 'x')]])
      expect(tcp(chunks)).toEqual({ requests: [], problem: 'request too long' });
  });
});

describe('readsocket parser', () => {
  const stream = text(
    'known@example.com\n',
    '"a b"@example.com\t\t192.0.2.1\n',
    'x@y\tme@here.test\tnobody\r\n',
    'last@y',
  );

  it('reads the same questions wherever they are cut, the last without a line end', () => {
    const requests = [
      { recipient: 'known@example.com', sender: undefined, client: undefined },
      { recipient: '"a b"@example.com', sender: '', client: '192.0.2.1' },
      { recipient: 'x@y', sender: 'me@here.test', client: undefined },
      { recipient: 'last@y', sender: undefined, client: undefined },
    ];
    for (const chunks of everyCut(stream))
      expect(readsocket(chunks)).toEqual({ requests, problem: undefined });
  });

  it('reads the same from any bytes, however they are cut', () => {
    const pieces = ['a@b', '\t', '\n', '\r\n', '192.0.2.1', ' ', '\t\t::1\n'];
    fc.assert(
      fc.property(streams(pieces), fc.integer({ min: 5, max: 100 }), ([data, places], max) => {
        expect(readsocket(cut(data, places), max)).toEqual(readsocket([data], max));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses an empty recipient, more than three fields, and a line that is too long', () => {
    for (const wrong of ['\n', '\tme@here.test\n', 'a@b\tc@d\t192.0.2.1\t\n', 'a@b\tc@d\te@f\t192.0.2.1'])
      expect(readsocket([text(wrong)]), wrong).toMatchObject({
        requests: [],
        problem: expect.stringMatching(/^not a request/) as unknown,
      });
    expect(readsocket([text('x'.repeat(20))], 20).problem).toBe('request too long');
    expect(readsocket([text('x'.repeat(19))], 20).requests).toHaveLength(1);
  });

  it('keeps no more than a line of what never ends', () => {
    const parser = createReadsocketParser(1000);
    let pushed = 0;
    while (parser.push(Buffer.from('x'), () => undefined) === undefined) pushed += 1;
    expect(pushed).toBeLessThan(1000);
    expect(parser.pending()).toBe(false);
  });
});
