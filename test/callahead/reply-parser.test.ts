/** Replies out of packets, however they are cut. */
import { fc } from '../support/property.js';
import { describe, expect, test } from 'vitest';
import type { Reply } from '../../src/callahead/finding.js';
import { createReplyParser } from '../../src/callahead/reply-parser.js';

function parse(
  text: string,
  cuts: readonly number[] = [],
): { replies: Reply[]; problem: string | undefined } {
  const push = createReplyParser();
  const replies: Reply[] = [];
  const edges = [0, ...[...cuts].sort((a, b) => a - b), text.length];
  for (const [index, from] of edges.entries()) {
    const chunk = Buffer.from(text.slice(from, edges[index + 1] ?? text.length), 'latin1');
    const problem = push(chunk, (reply) => replies.push(reply));
    if (problem !== undefined) return { replies, problem };
  }
  return { replies, problem: undefined };
}

describe('replies', () => {
  test('of one line, of several, without text, with a bare line feed', () => {
    expect(parse('220 hello\r\n250-a\r\n250-b\r\n250 c\r\n250\r\n550 x\n')).toEqual({
      replies: [
        { code: 220, lines: ['hello'] },
        { code: 250, lines: ['a', 'b', 'c'] },
        { code: 250, lines: [''] },
        { code: 550, lines: ['x'] },
      ],
      problem: undefined,
    });
  });

  test('come out alike wherever the packets are cut', () => {
    const text = '220 hello\r\n250-a\r\n250 b\r\n550-5.1.1 no\r\n550 5.1.1 no\r\n';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        expect(parse(text, cuts)).toEqual(parse(text));
      }),
    );
  });

  test.each([
    ['what is no reply', 'HTTP/1.1 200 OK\r\n'],
    ['two codes in one', '250-a\r\n550 b\r\n'],
    ['a first digit that is none', '150 x\r\n'],
    ['an endless line', 'x'.repeat(5000)],
    ['a line that is too long', `250 ${'x'.repeat(5000)}\r\n`],
    ['an endless reply', '250-x\r\n'.repeat(200)],
  ])('refuses %s', (_, text) => {
    expect(parse(text).problem).toBeDefined();
  });

  test('never crash on anything', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat(50)), (text, cuts) => {
        parse(text, cuts);
      }),
    );
  });
});
