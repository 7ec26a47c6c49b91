/** Next hops, as written in the configuration. */
import { describe, expect, it } from 'vitest';
import { formatNextHop, parseNextHop } from '../../src/config/next-hop.js';

describe('a next hop', () => {
  it('is a name or an address with a port, and is written as it is read', () => {
    for (const [written, host, port] of [
      ['mail.example.com:25', 'mail.example.com', 25],
      ['exchange1:2525', 'exchange1', 2525],
      ['192.0.2.10:65535', '192.0.2.10', 65_535],
      ['[2001:db8::1]:25', '2001:db8::1', 25],
    ] as const) {
      expect(parseNextHop(written)).toEqual({ host, port });
      expect(formatNextHop({ host, port })).toBe(written);
    }
  });

  it('is nothing else', () => {
    for (const wrong of [
      ...['', 'mail.example.com', ':25', 'mail:0', 'mail:65536', 'mail:x', 'mail:25:26', '2001:db8::1:25'],
      ...[
        '[192.0.2.1]:25',
        '[mail]:25',
        '192.0.2:25',
        '1.2.3.4.5:25',
        '-a:25',
        'a..b:25',
        'a b:25',
        'ü.example:25',
      ],
      ...['unix:/run/x.sock', 'smtp://mail:25', `${'a'.repeat(64)}:25`],
    ])
      expect(parseNextHop(wrong), wrong).toBeUndefined();
  });
});
