/** The codecs of the proxy: end of data, replies, XFORWARD, PROXY headers, and what is made of EHLO. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  clientInfoCommands,
  clientInfoOf,
  forwardNames,
  parseClientInfo,
} from '../../src/edge/proxy/client-info.js';
import { createEndOfData } from '../../src/edge/proxy/end-of-data.js';
import { foreignParameter, parseFeatures, passedFeatures } from '../../src/edge/proxy/features.js';
import { proxyHeader } from '../../src/edge/proxy/proxy-header.js';
import { trustedClients } from '../../src/edge/proxy/proxy-edge.js';
import { createReplyParser, type Reply } from '../../src/edge/proxy/reply.js';

interface Outcome {
  readonly kind: 'more' | 'end' | 'smuggling';
  readonly forwarded: string;
  readonly rest: string;
}

/** Pushes the chunks until one of them ends it; what is behind it belongs to the rest. */
function run(chunks: readonly Buffer[]): Outcome {
  const data = createEndOfData();
  let forwarded = '';
  for (const [at, chunk] of chunks.entries()) {
    const event = data.push(chunk);
    if (event.kind === 'smuggling') return { kind: 'smuggling', forwarded, rest: '' };
    forwarded += Buffer.concat(event.forward).toString('latin1');
    if (event.kind === 'end') {
      const rest = Buffer.concat([event.rest, ...chunks.slice(at + 1)]).toString('latin1');
      return { kind: 'end', forwarded, rest };
    }
  }
  return { kind: 'more', forwarded, rest: '' };
}

const whole = (text: string): Outcome => run([Buffer.from(text, 'latin1')]);
const bytewise = (text: string): Outcome =>
  run([...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte])));

/** The same by regular expressions over the whole of it: RFC 5321 §4.1.1.4, and what nobody may take for it. */
function byTheBook(text: string): { kind: Outcome['kind']; end: number } {
  const data = `\r\n${text}`;
  const end = data.indexOf('\r\n.\r\n');
  const loose = /(?:\r\n|\r(?!\n)|(?<!\r)\n)\0*\.[\r\n\0]/g;
  let smuggling = -1;
  for (let match = loose.exec(data); match !== null; match = loose.exec(data)) {
    const proper = data.slice(match.index).startsWith('\r\n.\r\n');
    const pending = data.slice(match.index) === '\r\n.\r';
    if (!proper && !pending) {
      smuggling = match.index;
      break;
    }
    if (proper) break;
    loose.lastIndex = match.index + 1;
  }
  if (smuggling !== -1 && (end === -1 || smuggling < end)) return { kind: 'smuggling', end: -1 };
  return end === -1 ? { kind: 'more', end: -1 } : { kind: 'end', end: end + 3 };
}

const odd = fc
  .array(fc.constantFrom('\r', '\n', '.', '\0', 'a', '\r\n', '\r\n.', '.\r\n', 'some text'), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));

describe('the end of data', () => {
  it('is CRLF dot CRLF, and an empty message is a dot alone', () => {
    expect(whole('a\r\n.\r\nQUIT\r\n')).toEqual({ kind: 'end', forwarded: 'a\r\n.\r\n', rest: 'QUIT\r\n' });
    expect(whole('.\r\nRSET\r\n')).toEqual({ kind: 'end', forwarded: '.\r\n', rest: 'RSET\r\n' });
  });

  it('leaves stuffed dots, 8-bit octets and bare line ends as they are', () => {
    const message = '..\r\n.x\r\na.\r\nb\nc\rd\xff\0\r\n...\r\n\r\n';
    expect(whole(`${message}.\r\n`)).toEqual({ kind: 'end', forwarded: `${message}.\r\n`, rest: '' });
  });

  for (const [name, ending] of Object.entries({
    'LF dot LF': 'a\n.\n',
    'LF dot CRLF': 'a\n.\r\n',
    'CR dot CR': 'a\r.\r',
    'CR dot CRLF': 'a\r.\r\n',
    'CRLF dot LF': 'a\r\n.\n',
    'CRLF dot CR and more': 'a\r\n.\rb',
    'CRLF NUL dot CRLF': 'a\r\n\0.\r\n',
    'CRLF dot NUL': 'a\r\n.\0\r\n',
    'CRCRLF dot CRCRLF': 'a\r\r\n.\r\r\n',
    'a dot at the very beginning with LF': '.\n',
  })) {
    it(`refuses ${name}, and hands nothing of that line on`, () => {
      for (const outcome of [whole(ending), bytewise(ending)]) {
        expect(outcome.kind).toBe('smuggling');
        expect(outcome.forwarded).not.toMatch(/\./);
      }
    });
  }

  it('is found alike however the bytes are cut, and by the book', () => {
    fc.assert(
      fc.property(odd, fc.array(fc.nat({ max: 60 }), { maxLength: 6 }), (text, cuts) => {
        const expected = byTheBook(text);
        const bytes = Buffer.from(text, 'latin1');
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
          (a, b) => a - b,
        );
        const pieces = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
        for (const outcome of [whole(text), bytewise(text), run(pieces)]) {
          expect(outcome.kind).toBe(expected.kind);
          if (outcome.kind !== 'end') continue;
          expect(outcome.forwarded).toBe(text.slice(0, expected.end));
          expect(outcome.rest).toBe(text.slice(expected.end));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('never hands on what a looser server would take for the end', () => {
    fc.assert(
      fc.property(odd, (text) => {
        const { kind, forwarded } = bytewise(text);
        const inside = kind === 'end' ? `\r\n${forwarded}`.slice(0, -2) : `\r\n${forwarded}`;
        expect(inside).not.toMatch(/[\r\n]\0*\.\0*[\r\n]/);
      }),
      { numRuns: 5000 },
    );
  });

  it('keeps back two bytes at most', () => {
    fc.assert(
      fc.property(odd, (text) => {
        const { kind, forwarded } = bytewise(text);
        if (kind === 'more') expect(text.length - forwarded.length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it('takes linear time, whatever the bytes', () => {
    for (const unit of ['\r.x', '\n.x', '\n', '.', '\r\n.x\r', '\0.x']) {
      const data = createEndOfData();
      const chunk = Buffer.from(unit.repeat(1_000_000 / unit.length));
      const start = process.cpuUsage();
      data.push(chunk);
      // processor time, not the clock's: quadratic time would be minutes, and a busy machine none of our business
      expect(process.cpuUsage(start).user / 1e6, JSON.stringify(unit)).toBeLessThan(10);
    }
  });
});

describe('replies', () => {
  const parse = (lines: readonly string[]): (Reply | 'wrong' | undefined)[] => {
    const parser = createReplyParser();
    return lines.map((line) => parser.push(line));
  };

  it('are whole with the line that has no hyphen, and keep their lines', () => {
    expect(parse(['250-a', '250-b', '250 c', '550 5.1.1 no'])).toEqual([
      undefined,
      undefined,
      { code: 250, lines: ['250-a', '250-b', '250 c'] },
      { code: 550, lines: ['550 5.1.1 no'] },
    ]);
    expect(parse(['354'])).toEqual([{ code: 354, lines: ['354'] }]);
  });

  it('with another code amid their lines, or no code, are none', () => {
    for (const lines of [['250-a', '550 b'], ['hello'], ['2500 x'], ['199 x'], ['600 x'], ['']])
      expect(parse(lines).at(-1)).toBe('wrong');
  });

  it('are bounded', () => {
    expect(parse(Array<string>(300).fill('250-x')).at(-1)).toBe('wrong');
  });

  it('never carry controls on', () => {
    expect(parse(['550 a\rRCPT\x00'])).toEqual([{ code: 550, lines: ['550 a RCPT '] }]);
  });

  it('are read from any lines without a throw', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        for (const reply of parse(lines))
          if (typeof reply === 'object') expect(reply.code).toBeGreaterThan(199);
      }),
    );
  });
});

describe('what the next hop offers', () => {
  const features = parseFeatures({
    code: 250,
    lines: [
      '250-mx',
      '250-SIZE 1000',
      '250-8bitmime',
      '250-DSN',
      '250-CHUNKING',
      '250-AUTH PLAIN',
      '250 STARTTLS',
    ],
  });

  it('is offered on as far as it can pass', () => {
    expect(Object.fromEntries(passedFeatures(features))).toEqual({ SIZE: '1000', '8BITMIME': '', DSN: '' });
  });

  it('brings its parameters, and no others', () => {
    const offered = passedFeatures(features);
    expect(foreignParameter('SIZE=1 BODY=8BITMIME RET=HDRS ENVID=x', 'MAIL', offered)).toBeUndefined();
    expect(foreignParameter('NOTIFY=NEVER ORCPT=rfc822;a=b', 'RCPT', offered)).toBeUndefined();
    for (const parameter of ['SMTPUTF8', 'BODY=BINARYMIME', 'AUTH=<>', 'REQUIRETLS', 'NOTIFY=NEVER', 'X'])
      expect(foreignParameter(parameter, 'MAIL', offered)).toBe(parameter);
  });
});

describe('XFORWARD and XCLIENT', () => {
  it('are taken with names that exist and values that are xtext', () => {
    const info = parseClientInfo('NAME=a.example addr=IPV6:2001:db8::1  HELO=x+20y', forwardNames);
    expect(Object.fromEntries(info ?? [])).toEqual({
      NAME: 'a.example',
      ADDR: 'IPV6:2001:db8::1',
      HELO: 'x+20y',
    });
    for (const wrong of ['', 'NAME', 'NAME=', 'LOGIN=root', 'NAME=a\tb', `NAME=${'x'.repeat(256)}`])
      expect(parseClientInfo(wrong, forwardNames)).toBeUndefined();
  });

  it('give the address of the client, or none', () => {
    const address = (text: string) => addressOf(parseClientInfo(`ADDR=${text}`, forwardNames) ?? new Map());
    expect(address('192.0.2.1')).toBe('192.0.2.1');
    expect(address('IPv6:2001:db8::1')).toBe('2001:db8::1');
    expect(address('[UNAVAILABLE]')).toBeUndefined();
    expect(addressOf(new Map())).toBeUndefined();
  });

  it('are written with what the server takes, in lines it can read', () => {
    const own = clientInfoOf({ address: '2001:db8::1', port: 1234, helo: 'a b=c\xff', protocol: 'ESMTP' });
    expect(clientInfoCommands('XCLIENT', own, 'ADDR PORT HELO')).toEqual([
      'XCLIENT ADDR=IPV6:2001:db8::1 PORT=1234 HELO=a+20b+3Dc+FF',
    ]);
    expect(clientInfoCommands('XFORWARD', own, '')).toEqual([]);
    const long = new Map(forwardNames.map((name) => [name, 'x'.repeat(200)]));
    const lines = clientInfoCommands('XFORWARD', long, forwardNames.join(' '));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join(' ').match(/\w+=/g)).toHaveLength(forwardNames.length);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(510);
  });
});

describe('the PROXY header', () => {
  const v4 = { sourceAddress: '192.0.2.1', sourcePort: 51_000, ownAddress: '198.51.100.2', ownPort: 25 };
  const v6 = { sourceAddress: '2001:db8::1', sourcePort: 51_000, ownAddress: '::ffff', ownPort: 25 };
  const unix = { sourceAddress: undefined, sourcePort: undefined, ownAddress: undefined, ownPort: undefined };

  it('of version 1 is a line', () => {
    expect(proxyHeader(1, v4).toString()).toBe('PROXY TCP4 192.0.2.1 198.51.100.2 51000 25\r\n');
    expect(proxyHeader(1, v6).toString()).toBe('PROXY TCP6 2001:db8::1 ::ffff 51000 25\r\n');
    expect(proxyHeader(1, unix).toString()).toBe('PROXY UNKNOWN\r\n');
  });

  it('of version 2 is binary', () => {
    const start = '0d0a0d0a000d0a515549540a';
    expect(proxyHeader(2, v4).toString('hex')).toBe(`${start}2111000cc0000201c6336402c7380019`);
    const [source, own] = [`20010db8${'0'.repeat(20)}0001`, `${'0'.repeat(28)}ffff`];
    expect(proxyHeader(2, v6).toString('hex')).toBe(`${start}21210024${source}${own}c7380019`);
    expect(proxyHeader(2, unix).toString('hex')).toBe(`${start}20000000`);
  });

  it('has the octets of any IPv6 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const header = proxyHeader(2, { ...v6, sourceAddress: address });
        const groups = Array.from({ length: 8 }, (_, at) => header.readUInt16BE(16 + 2 * at).toString(16));
        const url = (text: string) => new URL(`http://[${text}]/`).hostname;
        expect(url(groups.join(':'))).toBe(url(address));
      }),
    );
  });
});

describe('trusted clients', () => {
  it('are those of the networks named', () => {
    const trusted = trustedClients(['192.0.2.0/24', '2001:db8::/32', '127.0.0.1']);
    for (const yes of ['192.0.2.77', '2001:db8:1::1', '127.0.0.1', 'local']) expect(trusted(yes)).toBe(true);
    for (const no of ['192.0.3.1', '2001:db9::1', '127.0.0.2', '::1', undefined])
      expect(trusted(no)).toBe(false);
    expect(trustedClients([])('local')).toBe(false);
  });
});
