import { describe, expect, it } from 'vitest';
import { describeProblem } from '../../src/address/describe.js';
import { formatMailbox, parseInternal, parseMailbox, type ParseResult } from '../../src/address/mailbox.js';

/** A result as one string: `local|domain`, or `problem` and the domain salvaged. */
function shown(result: ParseResult): string {
  if (result.ok) return `${result.mailbox.local}|${result.mailbox.domain}`;
  return result.domain === undefined ? result.problem : `${result.problem} ${result.domain}`;
}

describe('an address as it is spelled in SMTP', () => {
  it.each([
    ['john@example.com', 'john|example.com'],
    ['John.Smith@Example.COM', 'John.Smith|example.com'],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~|example.com"],
    ['"john"@example.com', 'john|example.com'],
    ['"john smith"@example.com', 'john smith|example.com'],
    ['"john\\ smith"@example.com', 'john smith|example.com'],
    ['"john\\"smith\\\\"@example.com', 'john"smith\\|example.com'],
    ['"john@home"@example.com', 'john@home|example.com'],
    ['"john"."smith"@example.com', 'john.smith|example.com'],
    ['john."q. smith"@example.com', 'john.q. smith|example.com'],
    ['"a>b"@example.com', 'a>b|example.com'],
    ['a..b@example.com', 'a..b|example.com'],
    ['"a..b"@example.com', 'a..b|example.com'],
    ['.a.@example.com', '.a.|example.com'],
    ['jörg@example.com', 'jörg|example.com'],
    ['jo\u0308rg@example.com', 'jörg|example.com'],
    ['"jo\\\u0308rg"@example.com', 'jörg|example.com'],
    ['a\u226eb@example.com', 'a\u226eb|example.com'],
    ['a<\u0338b@example.com', 'a\u226eb|example.com'],
    ['用户@例子.example', '用户|xn--fsqu00a.example'],
    ['john@bücher.example', 'john|xn--bcher-kva.example'],
    ['john@BU\u0308CHER.example', 'john|xn--bcher-kva.example'],
    ['john@xn--bcher-kva.example', 'john|xn--bcher-kva.example'],
    ['john@example.com.', 'john|example.com'],
    ['<john@example.com>', 'john|example.com'],
    ['<@a.example:john@example.com>', 'john|example.com'],
    ['@a.example,@[192.0.2.1],@[IPv6:2001:db8::1]:"john"@example.com', 'john|example.com'],
    ['john@[192.0.2.1]', 'john|[192.0.2.1]'],
    ['john@[ipv6:2001:DB8:0::1]', 'john|[IPv6:2001:db8::1]'],
    ['john@mail_1.example.com', 'john|mail_1.example.com'],
    ['john@localhost', 'john|localhost'],
    [`${'a'.repeat(256)}@example.com`, `${'a'.repeat(256)}|example.com`],
  ])('%s is %s', (text, expected) => {
    expect(shown(parseMailbox(text))).toBe(expected);
  });

  it.each([
    ['', 'empty'],
    ['<>', 'empty'],
    ['postmaster', 'no-domain'],
    ['<postmaster>', 'no-domain'],
    ['john@', 'no-domain'],
    ['@a.example:john', 'no-domain'],
    ['@example.com', 'bad-local example.com'],
    ['a\u037eb@example.com', 'bad-local example.com'],
    ['""@example.com', 'bad-local example.com'],
    ['john smith@Example.com', 'bad-local example.com'],
    ['john@home@example.com', 'bad-local example.com'],
    ['john\\@home@example.com', 'bad-local example.com'],
    ['"john@example.com', 'bad-local example.com'],
    ['"john\\"@example.com', 'bad-local example.com'],
    ['"john"smith@example.com', 'bad-local example.com'],
    ['jo"hn"@example.com', 'bad-local example.com'],
    ['"@example.com', 'bad-local example.com'],
    ['<john@example.com', 'bad-local example.com'],
    ['john@example.com>', 'bad-domain'],
    [' john@example.com', 'bad-local example.com'],
    ['john@example.com ', 'bad-domain'],
    ['jo\0hn@example.com', 'bad-local example.com'],
    ['"jo\rhn"@example.com', 'bad-local example.com'],
    ['"jo\nhn"@example.com', 'bad-local example.com'],
    ['"jo\x7fhn"@example.com', 'bad-local example.com'],
    ['jo\x85hn@example.com', 'bad-local example.com'],
    ['jo\ud800hn@example.com', 'bad-local example.com'],
    ['john@exam\nple.com', 'bad-domain'],
    ['john@\udc00.example', 'bad-domain'],
    ['john@example..com', 'bad-domain'],
    ['@a b:john@example.com', 'bad-route example.com'],
    ['@a.example@b.example:john@example.com', 'bad-route example.com'],
    ['@a.example,b.example:john@example.com', 'bad-route example.com'],
    [`${'a'.repeat(257)}@example.com`, 'too-long example.com'],
    [`${'é'.repeat(129)}@example.com`, 'too-long example.com'],
    [`${'a'.repeat(1000)}@example.com`, 'too-long'],
  ])('%j is refused: %s', (text, expected) => {
    expect(shown(parseMailbox(text))).toBe(expected);
  });
});

describe('an address in the unquoted form of Postfix', () => {
  it.each([
    ['john@example.com', 'john|example.com'],
    ['john smith@example.com', 'john smith|example.com'],
    ['john@home@example.com', 'john@home|example.com'],
    ['@a:b@example.com', '@a:b|example.com'],
    ['"john"@example.com', '"john"|example.com'],
    ['a\\b@example.com', 'a\\b|example.com'],
    ['a..b@example.com', 'a..b|example.com'],
    ['jo\u0308rg@bücher.example.', 'jörg|xn--bcher-kva.example'],
    ['john@[127.0.0.1]', 'john|[127.0.0.1]'],
    ['', 'empty'],
    ['john', 'no-domain'],
    ['@example.com', 'bad-local example.com'],
    ['jo\thn@example.com', 'bad-local example.com'],
    ['jo\ud800hn@example.com', 'bad-local example.com'],
    ['john@exa mple.com', 'bad-domain'],
    [`${'a '.repeat(129)}@example.com`, 'too-long example.com'],
    ['a'.repeat(1001), 'too-long'],
  ])('%j is %s', (text, expected) => {
    expect(shown(parseInternal(text))).toBe(expected);
  });
});

describe('writing a mailbox', () => {
  it.each([
    ['john', 'john@example.com'],
    ['j.o+h-n', 'j.o+h-n@example.com'],
    ['jörg', 'jörg@example.com'],
    ['john smith', '"john smith"@example.com'],
    ['a..b', '"a..b"@example.com'],
    ['.a', '".a"@example.com'],
    ['a.', '"a."@example.com'],
    ['a@b', '"a@b"@example.com'],
    ['a"b\\c', '"a\\"b\\\\c"@example.com'],
  ])('quotes %s only where it must: %s', (local, expected) => {
    expect(formatMailbox({ local, domain: 'example.com' })).toBe(expected);
  });
});

describe('what is wrong, in words', () => {
  it('differs by problem and can stand in the middle of a sentence', () => {
    const problems = ['empty', 'no-domain', 'bad-local', 'bad-domain', 'bad-route', 'too-long'] as const;
    const sentences = problems.map(describeProblem);
    expect(new Set(sentences).size).toBe(problems.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^the .*[^.]$/);
  });
});
