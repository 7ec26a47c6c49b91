import { fc } from '../support/property.js';
import { describe, expect, test } from 'vitest';
import { domainKey } from '../../src/config/domain-name.js';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/durations.js';
import { formatListenAddress, isLocal, parseListenAddress } from '../../src/config/listen-address.js';
import { longestPause } from '../../src/config/schedule.js';
import { resolveSecret } from '../../src/config/resolve-secret.js';
import { didYouMean } from '../../src/config/spelling.js';

const minute = 60_000;
const hour = 60 * minute;

describe('durations and sizes', () => {
  test.each([
    ['90s', 90_000],
    ['15m', 15 * minute],
    ['48h', 48 * hour],
    ['7d', 168 * hour],
    ['250ms', 250],
    ['0s', 0],
  ])('%s is %d ms', (text, value) => {
    expect(parseDuration(text)).toBe(value);
  });

  test.each(['', '5', '1.5h', '-1s', '1 h', '1H', '1w', '9999999999d', '１s'])(
    '%j is no duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test('256MiB is a size in bytes; 256MB is none', () => {
    expect(parseSize('256MiB')).toBe(268_435_456);
    expect(parseSize('256MB')).toBeUndefined();
  });

  test('what is formatted reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 900_000_000 }), (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
        expect(parseSize(formatSize(value))).toBe(value);
      }),
    );
    expect(formatDuration(48 * hour)).toBe('2d');
  });
});

describe('listen addresses', () => {
  test.each([
    ['127.0.0.1:2525', { host: '127.0.0.1', port: 2525 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['unix:/run/rollcall/policy.sock', { path: '/run/rollcall/policy.sock' }],
  ])('%s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    expect(formatListenAddress(address)).toBe(text);
  });

  test.each([
    '2525',
    ':2525',
    'localhost:2525',
    '::1:2525',
    '[127.0.0.1]:2525',
    '127.0.0.1',
    '127.0.0.1:65536',
    '256.0.0.1:25',
    'unix:relative.sock',
    'unix:',
    `unix:/${'x'.repeat(107)}`,
  ])('%s is refused', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });

  test('loopback and sockets are local, the rest is not', () => {
    expect(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'unix:/x'].map(local)).toEqual([true, true, true, true]);
    expect(['0.0.0.0:1', '192.0.2.1:1', '[::]:1'].map(local)).toEqual([false, false, false]);
  });

  function local(text: string): boolean {
    const address = parseListenAddress(text);
    return address !== undefined && isLocal(address);
  }
});

describe('domain names', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['a_b.example', 'a_b.example'],
  ])('%s is %s', (name, key) => {
    expect(domainKey(name)).toBe(key);
  });

  test.each([
    '',
    '.',
    'a..b',
    'a b',
    'a/b',
    'a:80',
    'a%41.b',
    '[::1]',
    '10.0.0.1',
    '1.2.3',
    '0x7f',
    'user@example.com',
    '*.example.com',
    '-a.example',
    `${'a'.repeat(64)}.example`,
  ])('%j is none', (name) => {
    expect(domainKey(name)).toBeUndefined();
  });

  const anyText = fc
    .array(fc.integer({ min: 0, max: 0x10ffff }))
    .map((points) => String.fromCodePoint(...points));

  test('never throws, and a key is its own key', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const key = domainKey(name);
        if (key !== undefined) expect(domainKey(key)).toBe(key);
      }),
    );
  });
});

describe('the longest pause of a schedule', () => {
  test.each([
    ['*/5 * * * *', 5 * minute],
    ['@hourly', hour],
    ['@daily', 24 * hour],
    ['@weekly', 168 * hour],
    ['0 8,13,23 * * *', 10 * hour],
    ['0 6 * * 1-5', 72 * hour],
    ['30 2 1 * *', 31 * 24 * hour],
  ])('%s', (expression, pause) => {
    expect(longestPause(expression)).toBe(pause);
  });
});

describe('secrets', () => {
  const at = (env: Record<string, string>, file = '') => ({ env, readFile: () => file });

  test('come from the environment, whole', () => {
    expect(resolveSecret({ env: 'PW' }, 'x', at({ PW: ' hunter2\n' }))).toBe(' hunter2\n');
  });

  test('come from a file, without its last newline', () => {
    expect(resolveSecret({ file: '/pw' }, 'x', at({}, 'hunter2\r\n'))).toBe('hunter2');
    expect(resolveSecret({ file: '/pw' }, 'x', at({}, 'hunter2\n\n'))).toBe('hunter2\n');
  });

  test('that are missing name the option and where it should have been', () => {
    const option = 'sources.staff.bindPassword';
    expect(() => resolveSecret({ env: 'PW' }, option, at({}))).toThrow(
      `${option}: environment variable PW is not set`,
    );
    expect(() => resolveSecret({ env: 'PW' }, option, at({ PW: '' }))).toThrow(
      'environment variable PW is empty',
    );
    expect(() => resolveSecret({ file: '/no/such' }, option)).toThrow(
      `${option}: file /no/such cannot be read`,
    );
    expect(() => resolveSecret({ file: '/pw' }, option, at({}, '\n'))).toThrow('file /pw is empty');
  });
});

test('"did you mean" names a near word and nothing else', () => {
  expect(didYouMean('cvs', ['ldap', 'csv'])).toBe(' (did you mean "csv"?)');
  expect(didYouMean('stroe', ['store', 'sync'])).toBe(' (did you mean "store"?)');
  expect(didYouMean('colour', ['mode', 'sources'])).toBe('');
  expect(didYouMean(5, ['mode'])).toBe('');
});
