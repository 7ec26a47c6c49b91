import { describe, expect, it } from 'vitest';
import { displayDomain, normaliseDomain } from '../../src/address/domain.js';

const label63 = 'a'.repeat(63);
const name253 = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`;

describe('a domain', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com'],
    ['a--b.example', 'a--b.example'],
    ['_dmarc.ex_ample.com', '_dmarc.ex_ample.com'],
    ['4.example', '4.example'],
    ['1.2.3.4a', '1.2.3.4a'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.EXAMPLE', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['bücher。example．', 'xn--bcher-kva.example'],
    ['bücher_1.example', 'xn--bcher_1-n2a.example'],
    ['faß.example', 'xn--fa-hia.example'],
    ['FAẞ.example', 'xn--fa-hia.example'],
    ['ｅｘａｍｐｌｅ.com', 'example.com'],
    ['a\u2260b.example', 'xn--ab-miv.example'],
    ['a=\u0338b.example', 'xn--ab-miv.example'],
    [label63, label63],
    [name253, name253],
    [`${name253}.`, name253],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:DB8:0:0:0:0:0:1]', '[IPv6:2001:db8::1]'],
    ['[IPV6:::ffff:192.0.2.1]', '[IPv6:::ffff:c000:201]'],
  ])('%s is spelled %s', (text, expected) => {
    expect(normaliseDomain(text)).toBe(expected);
    expect(normaliseDomain(expected)).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['only a dot', '.'],
    ['an empty label', 'a..b'],
    ['a leading dot', '.example.com'],
    ['two trailing dots', 'example.com..'],
    ['two trailing dots after a U-label', 'bücher.example..'],
    ['a hyphen first', '-a.example'],
    ['a hyphen last', 'a-.example'],
    ['a label of 64', `${label63}a.example`],
    ['a U-label whose A-label is past 63', `${'ü'.repeat(63)}.example`],
    ['a name of 254', `a${name253}`],
    ['an IPv4 address', '192.0.2.1'],
    ['a short IPv4 number', '127.1'],
    ['a hexadecimal IPv4 number', 'a.0x7f'],
    ['full-width digits that make an IPv4 number', '１２７.1'],
    ['a percent sign', 'ex%61mple.com'],
    ['a percent sign beside a U-label', 'bücher%2eexample'],
    ['a slash beside a U-label', 'bücher.example/x'],
    ['a backslash beside a U-label', 'bücher\\x.example'],
    ['a tab beside a U-label', 'bü\tcher.example'],
    ['a question mark beside a U-label', 'bücher?.example'],
    ['a space', 'exam ple.com'],
    ['a colon', 'example.com:25'],
    ['an at sign', 'a@b'],
    ['a NUL', 'a\0.example'],
    ['a character that maps to a parenthesis', 'a\u2474.example'],
    ['a less-than sign beside a U-label', 'bücher<.example'],
    ['a lone surrogate', '\ud800.example'],
    ['an unclosed literal', '[192.0.2.1'],
    ['an empty literal', '[]'],
    ['an IPv4 literal out of range', '[192.0.2.256]'],
    ['an IPv6 literal without its tag', '[2001:db8::1]'],
    ['an IPv6 literal with a zone', '[IPv6:fe80::1%eth0]'],
    ['a literal with a dot after it', '[192.0.2.1].'],
    ['an unknown literal', '[x400:c=gb]'],
  ])('is not %s', (_, text) => {
    expect(normaliseDomain(text)).toBeUndefined();
  });

  it('is never cut short by a character that ends a host in a URL, whatever its width', () => {
    const cut: string[] = [];
    for (let code = 0x80; code < 0x10000; code++) {
      const domain = normaliseDomain(`é${String.fromCharCode(code)}b.example`);
      if (domain !== undefined && !/^xn--[a-z0-9_.-]+\.example$/.test(domain)) cut.push(code.toString(16));
    }
    expect(cut).toEqual([]);
  });
});

describe('showing a domain', () => {
  it.each([
    ['example.com', 'example.com'],
    ['xn--bcher-kva.example', 'bücher.example'],
    ['mail.xn--fsqu00a.example', 'mail.例子.example'],
    ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
    ['xn--abc-.example', 'xn--abc-.example'],
    ['xn--a.example', 'xn--a.example'],
  ])('%s as %s', (domain, expected) => {
    expect(displayDomain(domain)).toBe(expected);
  });
});
