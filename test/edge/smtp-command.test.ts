import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { parsePathArgument, unknownParameter } from '../../src/edge/smtp/command.js';
import { Conversation } from '../../src/edge/smtp/conversation.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { verdictFor } from './fake-decide.js';

describe('path argument', () => {
  it.each([
    ['TO:<a@b>', 'a@b', ''],
    ['to: <a@b> NOTIFY=NEVER', 'a@b', 'NOTIFY=NEVER'],
    ['TO :<>', '', ''],
    ['TO:<"a>b"@c>', '"a>b"@c', ''],
    ['TO:<"a\\">b"@c>  X=1', '"a\\">b"@c', 'X=1'],
    ['TO:<@r,@s:a@b>', '@r,@s:a@b', ''],
    ['TO:<a@[IPv6:::1]>', 'a@[IPv6:::1]', ''],
    ['TO:<a b@c.>', 'a b@c.', ''],
  ])('%s', (rest, path, parameters) => {
    expect(parsePathArgument(rest, 'TO')).toEqual({ path, parameters });
  });

  it.each(['TO:a@b', 'TO<a@b>', 'TO:<a@b', 'TO:<"a>@b', 'TO:<a@b>x', 'FROM:<a@b>', ''])('not %s', (rest) => {
    expect(parsePathArgument(rest, 'TO')).toBeUndefined();
  });

  it('names the first parameter that is not known', () => {
    expect(unknownParameter('SIZE=1 BODY=7BIT smtputf8', 'MAIL')).toBeUndefined();
    expect(unknownParameter('SIZE=1  XYZ=2', 'MAIL')).toBe('XYZ=2');
    expect(unknownParameter('SIZE=1', 'RCPT')).toBe('SIZE=1');
  });
});

describe('conversation', () => {
  const verbs = [
    'EHLO c',
    'MAIL FROM:<>',
    'RCPT TO:',
    'RCPT TO:<a@b>',
    'RSET',
    'DATA',
    'STARTTLS',
    'QUIT',
    'VRFY x',
  ];

  function conversation(): Conversation {
    const options = { name: 'edge.example', offersTls: true, maxRecipients: 5, maxRejected: 3, maxErrors: 9 };
    const asker = { decide: () => verdictFor('unknown'), witness: () => undefined, log: silentLogger() };
    return new Conversation({ ...options, ...asker }, undefined, false);
  }

  it('answers any line with one well-formed reply, and accepts no recipient that decide refuses', () => {
    const line = fc.oneof(
      fc.constantFrom(...verbs),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.tuple(fc.constantFrom(...verbs), fc.string({ maxLength: 20 })).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const talk = conversation();
        for (const each of lines.map((text) => Buffer.from(text).toString('latin1').replaceAll('\n', ''))) {
          const reply = talk.take(each) as string;
          for (const said of reply.split('\r\n')) expect(said).toMatch(/^[2-5]\d\d[ -][\x20-\x7e]+$/);
          if (!/^RCPT TO ?: *<postmaster>/i.test(each)) expect(reply).not.toMatch(/^250 2\.1\.5/);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('forgets what was said before TLS', () => {
    const talk = conversation();
    void talk.take('EHLO c');
    void talk.take('MAIL FROM:<>');
    expect(talk.take('STARTTLS')).toMatch(/^220 /);
    expect(talk.next).toBe('start tls');
    talk.secured();
    expect(talk.take('RCPT TO:<a@b>')).toBe('503 5.5.1 Send EHLO first');
    expect(talk.take('EHLO c')).not.toContain('STARTTLS');
  });
});
