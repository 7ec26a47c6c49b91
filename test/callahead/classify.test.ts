/** What counts as "there is no such mailbox", and what does not. */
import { describe, expect, test } from 'vitest';
import { wordOf } from '../../src/callahead/classify.js';

const word = (text: string): string => {
  const lines = text.split('\n');
  return wordOf({ code: Number(lines[0]?.slice(0, 3)), lines: lines.map((line) => line.slice(4)) });
};

describe('known', () => {
  test.each(['250 2.1.5 Ok', '250 Accepted', '251 User not local; will forward'])('%s', (reply) => {
    expect(word(reply)).toBe('known');
  });
});

describe('unknown', () => {
  test.each([
    '550 5.1.1 <eve@example.com>: Recipient address rejected: User unknown in relay recipient table',
    '550 5.1.1 <relay@example.com>: Recipient address rejected: User unknown in virtual mailbox table',
    '550 5.1.1 sender@example.com... User unknown',
    '550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 Learn more',
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    '551 5.1.6 User has moved',
    '553 5.1.1 unknown',
    '550 No such user here',
    '550 Unknown user',
    '550 eve@example.com: user does not exist',
    '550 Mailbox not found',
    '550 <blocked-policy@example.com> User unknown',
    '550 Invalid recipient <full@example.com>',
    '550 5.1.1 <eve@example.com>: Recipient address rejected: User unknown in virtual alias table',
    '550 5.1.1 Requested action not taken: mailbox unavailable',
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces. For more information, go to\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser a1-b2 - gsmtp",
    '550-Mailbox unknown.  Either there is no mailbox associated with this\n550-name or you do not have authorization to see it.\n550 5.1.1 User unknown',
    '550 5.1.1 User unknown (mx.host.example.com)',
    '550 5.1.1 No such user on this server',
    '550 5.1.1 The address cannot be found',
    '550 No such user at this site',
    '550 user eve does not exist',
    '550 The user "eve" is unknown here',
    // Exim and qmail
    '550 Unrouteable address',
    '550 sorry, no mailbox here by that name. (#5.1.1)',
    '550 sorry, no mailbox here by that name (#5.1.1 - chkuser)',
  ])('%s', (reply) => {
    expect(word(reply)).toBe('unknown');
  });
});

describe('says nothing of the recipient', () => {
  test.each([
    // policy, relaying, reputation
    '550 5.7.1 Relaying denied',
    '554 5.7.1 <eve@example.com>: Relay access denied',
    '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example',
    '550 5.7.1 Recipient rejected',
    '550 5.7.0 Access denied',
    '550 relay not permitted',
    '550 Blocked by policy: user unknown to us',
    '550 Access denied',
    '550 Requested action not taken: mailbox unavailable',
    '550 Your IP is on a blacklist, unknown user',
    // of the sender
    '550 5.1.1 <>: Sender address rejected: User unknown',
    '550 5.1.8 Domain of sender address does not exist',
    '550 5.1.7 Bad sender address',
    '550 sender user unknown',
    // of the mailbox, but not that there is none
    '550 5.2.1 Mailbox disabled',
    '552 5.2.2 Mailbox full',
    '550 Mailbox full, user unknown',
    '550 5.1.0 Address rejected',
    '550 5.1.2 Bad destination system',
    '550 5.4.1 Recipient address rejected: Access denied',
    // other codes
    '554 5.1.1 User unknown',
    '521 5.1.1 Host does not accept mail',
    '500 5.5.1 Unknown command',
    '503 5.5.1 User unknown',
    '450 4.1.1 User unknown',
    '450 4.2.0 Greylisted, try again later',
    '451 4.3.0 Temporary lookup failure',
    '550 4.1.1 User unknown',
    '252 Cannot VRFY user',
    '354 go ahead',
    // other reasons, whatever the code
    '550 5.1.1 <eve@example.com>: Recipient address rejected: undeliverable address: Host or domain name not found. Name service error for name=inside.example type=A: Host not found',
    '550 5.1.1 <eve@example.com>: Recipient address rejected: unverified address: connect to 10.0.0.7[10.0.0.7]:25: Connection refused',
    '550 5.1.1 User unknown; LDAP temporarily unavailable',
    '550 5.1.1 User unknown; rate limit exceeded',
    '550 5.1.1 Your host is blocked by policy',
    '550 5.1.1 mailbox is full',
    '550 Recipient address rejected: Domain not found',
    '550 Your IP address 10.0.0.1 is not found in reverse DNS',
    '550 PTR record for your address not found',
    '550 Mailbox unavailable: LDAP server not found',
    '550 user not known: cannot contact database',
    '550 This address never sends mail, bounce for unknown message rejected',
    '550 Mail from unknown user not wanted',
    '550 The address book was saved, and the file was not found',
    '550-Unrouteable address\n550 Sender verify failed',
    '553 sorry, that domain is not in my list of allowed rcpthosts (#5.7.1)',
    '550 sorry, user unknown (#4.3.0)',
    '550 5.1.1 user unknown (#5.7.1)\n550 5.7.1 x',
    // two meanings at once
    '550-5.1.1 User unknown\n550 5.7.1 Blocked',
  ])('%s', (reply) => {
    expect(word(reply)).toBe('unclear');
  });

  test('at great length', () => {
    expect(word(`550 5.1.1 ${'User unknown. '.repeat(1000)}`)).toBe('unclear');
  });

  test('unless its operator says that a code means it', () => {
    const reply = { code: 550, lines: ['5.4.1 Recipient address rejected: Access denied'] };
    expect(wordOf(reply, ['5.1.1', '5.4.1'])).toBe('unknown');
  });
});
