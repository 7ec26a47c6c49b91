/**
 * The csv source: the exports of known programs, made as their vendors document them, each in three encodings.
 *
 * Sources: Exchange: learn.microsoft.com/powershell/module/exchange/get-recipient (values as Export-Csv writes them). Entra ID:
 * learn.microsoft.com/entra/identity/users/users-bulk-download and …/users-bulk-add. Google: support.google.com/a/answer/40057.
 * GAM: github.com/GAM-team/GAM/wiki/Users-Print and …/Addresses. FOPE: technet.microsoft.com/library/ff715286. Postfix:
 * postmap(1), "INPUT FILE FORMAT", and postconf(5), relay_recipient_maps.
 */
import { describe, expect, it } from 'vitest';
import type { Part } from '../../src/source/csv/options.js';
import { readList } from './read-list.js';

const read = (list: string | Buffer, mayLack?: readonly Part[]): ReturnType<typeof readList> =>
  readList(list, { encoding: 'auto', respectDisabled: true, maxBadPercent: 10, mayLack });

interface Case {
  readonly list: string;
  readonly taken: RegExp;
  /** Addresses of each entry. */
  readonly entries: readonly (readonly string[])[];
  readonly notes?: readonly RegExp[];
  /** What it leaves out, and may not unless somebody says so. */
  readonly lacks?: readonly Part[];
  readonly complete?: false;
  readonly flags?: readonly object[];
}

const cases: Readonly<Record<string, Case>> = {
  'Exchange: Get-Recipient with joined EmailAddresses': {
    list:
      '#TYPE Selected.Microsoft.Exchange.Data.Directory.Management.ReducedRecipient\r\n' +
      '"DisplayName","RecipientTypeDetails","PrimarySmtpAddress","EmailAddresses","RequireSenderAuthenticationEnabled"\r\n' +
      '"Jörg Ä","UserMailbox","joerg@example.com","SMTP:joerg@example.com;smtp:j@example.com;SIP:joerg@example.com;X500:/o=Ex Org/cn=j","False"\r\n' +
      '"Alle","MailUniversalDistributionGroup","all@example.com","smtp:everybody@example.com;SMTP:all@example.com","True"\r\n' +
      '"Info","SharedMailbox","info@example.com","SMTP:info@example.com","False"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [
      ['joerg@example.com', 'j@example.com'],
      ['all@example.com', 'everybody@example.com'],
      ['info@example.com'],
    ],
    flags: [
      { kind: 'user', internalOnly: false },
      { kind: 'group', internalOnly: true },
      { kind: 'mailbox', internalOnly: false },
    ],
  },
  'Exchange: EmailAddresses as [string], between spaces': {
    list:
      '"Name","PrimarySmtpAddress","EmailAddresses"\r\n' +
      '"Ann é","ann@example.com","SMTP:ann@example.com smtp:a@example.com X500:/o=Ex Org/ou=First Group/cn=ann SIP:ann@example.com"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['ann@example.com', 'a@example.com']],
  },
  'Exchange: EmailAddresses between commas': {
    list: 'Name,PrimarySmtpAddress,EmailAddresses\r\nAnn é,ann@example.com,"SMTP:ann@example.com,smtp:a@example.com"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['ann@example.com', 'a@example.com']],
  },
  'Exchange: EmailAddresses that Export-Csv could not write': {
    list: '"Name","PrimarySmtpAddress","EmailAddresses"\r\n"Ann é","ann@example.com","Microsoft.Exchange.Data.ProxyAddressCollection"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['ann@example.com']],
    complete: false,
  },
  'Exchange: without EmailAddresses': {
    list: '"Display Name","Alias","Recipient Type Details","Primary SMTP Address"\r\n"Ann é","ann","User Mailbox","ann@example.com"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['ann@example.com']],
    lacks: ['aliases', 'groups'],
    notes: [
      /aliases are missing: there is no column EmailAddresses/,
      /groups are missing: there are none in it/,
    ],
  },
  'Exchange: Get-Mailbox': {
    list:
      '"AccountDisabled","Alias","DisplayName","EmailAddresses","PrimarySmtpAddress","RecipientType","RecipientTypeDetails"\r\n' +
      '"True","ann","Ann é","SMTP:ann@example.com smtp:a@example.com","ann@example.com","UserMailbox","UserMailbox"\r\n' +
      '"True","info","Info","SMTP:info@example.com","info@example.com","UserMailbox","SharedMailbox"\r\n' +
      '"True","l","L","SMTP:l@example.com","l@example.com","UserMailbox","LinkedMailbox"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['ann@example.com', 'a@example.com'], ['info@example.com'], ['l@example.com']],
    // a shared mailbox gets mail, and its account is always disabled
    flags: [
      { kind: 'user', disabled: true },
      { kind: 'mailbox', disabled: false },
      { kind: 'other', disabled: false },
    ],
    lacks: ['groups'],
  },
  'Exchange: Get-DistributionGroup': {
    list:
      '"DisplayName","EmailAddresses","PrimarySmtpAddress","RecipientTypeDetails","RequireSenderAuthenticationEnabled"\r\n' +
      '"Älle","SMTP:all@example.com","all@example.com","MailUniversalDistributionGroup","True"\r\n',
    taken: /taken for an export of Exchange/,
    entries: [['all@example.com']],
    flags: [{ internalOnly: true }],
    lacks: ['users'],
  },
  'Microsoft 365 admin center: Active users': {
    list:
      'Block credential,City,Display name,Licenses,Object Id,Proxy addresses,Soft deletion time stamp,User principal name\r\n' +
      'False,Köln,Ann,Business,1,SMTP:ann@example.com+smtp:a@example.com+SIP:ann@example.com,,ann@example.com\r\n' +
      'True,,Bob,Business,2,smtp:b@example.com+SMTP:bob@example.com,,bob@login.example\r\n' +
      'False,,Service,Unlicensed,3,,,service@login.example\r\n',
    taken: /Microsoft 365 admin center/,
    entries: [
      ['ann@example.com', 'a@example.com'],
      ['b@example.com', 'bob@example.com'],
    ],
    flags: [{ disabled: false }, { disabled: false, id: 'bob@example.com' }],
    lacks: ['groups'],
    notes: [
      /nobody counts as disabled/,
      /groups are missing: it lists users only/,
      /1 row without any address skipped/,
    ],
  },
  'Entra ID: Download users': {
    list:
      'userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification\r\n' +
      'ann@login.example,Ann,Doe,ann@example.com,Ann,1,Member,,,True,,,,,,Zürich,,,,ann@private.example,,,\r\n' +
      'bob@login.example,Bob,,bob@example.com,,2,Member,,,False,,,,,,,,,,,,,\r\n' +
      'svc@login.example,Service,,,,3,Member,,,True,,,,,,,,,,,,,\r\n',
    taken: /Entra ID’s Download users/,
    entries: [['ann@example.com'], ['bob@example.com']],
    flags: [{ disabled: false }, { disabled: false }],
    lacks: ['aliases', 'groups'],
    notes: [
      /nobody counts as disabled/,
      /aliases are missing: .* no proxyAddresses/,
      /users only/,
      /1 row without/,
    ],
  },
  'Entra ID: the template of Bulk create': {
    list:
      'version:v1.0\r\n' +
      'Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,First name [givenName]\r\n' +
      'Example: Chris Green,chris@contoso.example,myPassword1234,No,Chris\r\n' +
      'Ann Ä,ann@example.com,secret,No,Ann\r\nBob,bob@example.com,secret,Yes,Bob\r\n',
    taken: /bulk template of Entra ID/,
    entries: [['ann@example.com'], ['bob@example.com']],
    flags: [{ disabled: false, where: 'line 4' }, { disabled: false }],
    lacks: ['users', 'aliases', 'groups'],
    notes: [/login names/],
  },
  'Google Admin console: users': {
    list:
      'First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,Work Secondary Email\n' +
      'Ann,Ä,ann@example.com,****,,/,,Active,2025,ann@private.example,ann@home.example,\n' +
      'Bob,Doe,bob@example.com,****,,/,,Suspended,2025,,,bob@work.example\n',
    taken: /Google Admin console/,
    entries: [['ann@example.com'], ['bob@example.com']],
    flags: [{ disabled: false }, { disabled: true }],
    lacks: ['aliases', 'groups'],
    notes: [/the Admin console exports none/, /users only/],
  },
  'Google: aliases between commas in one cell': {
    list: 'First Name [Required],Email Address [Required],Email Aliases\nÄnn,ann@example.com,"a@example.com,an@example.com"\n',
    taken: /Google Admin console/,
    entries: [['ann@example.com', 'a@example.com', 'an@example.com']],
    lacks: ['groups'],
  },
  'GAM: print users, numbered columns and their counts': {
    list:
      'primaryEmail,aliases,aliases.0,aliases.1,emails,emails.0.address,emails.0.primary,emails.1.address,emails.1.type,name.fullName,nonEditableAliases.0,recoveryEmail,suspended\n' +
      'ann@example.com,2,a@example.com,an@example.com,2,ann@example.com,True,ann@home.example,home,Ann Ä,ann@test-google-a.example,x@private.example,False\n' +
      'bob@example.com,0,,,1,bob@example.com,True,,,Bob,,,True\n',
    taken: /users printed by GAM/,
    entries: [
      ['ann@example.com', 'a@example.com', 'an@example.com', 'ann@home.example', 'ann@test-google-a.example'],
      ['bob@example.com'],
    ],
    flags: [{ disabled: false }, { disabled: true }],
    lacks: ['groups'],
    notes: [/users only/],
  },
  'GAM: print users, and nothing more asked for': {
    list: 'primaryEmail\nann@example.com\nbob@example.com\n',
    taken: /users printed by GAM/,
    entries: [['ann@example.com'], ['bob@example.com']],
    lacks: ['aliases', 'groups'],
  },
  'GAM: aliases.0.address': {
    list: 'primaryEmail,name.fullName,aliases.0.address\nann@example.com,Ann Ä,a@example.com\n',
    taken: /users printed by GAM/,
    entries: [['ann@example.com', 'a@example.com']],
    lacks: ['groups'],
  },
  'GAM: print groups': {
    list: 'email,name,Aliases,NonEditableAliases,Members\nall@example.com,Älle,everybody@example.com a@example.com,,"ann@example.com\nbob@example.com"\n',
    taken: /groups printed by GAM/,
    entries: [['all@example.com', 'everybody@example.com', 'a@example.com']],
    lacks: ['users'],
    notes: [/groups only/],
  },
  'GAM: print aliases': {
    list: 'Alias,Target,TargetType\na@example.com,ann@example.com,User\neverybody@example.com,all@example.com,Group\n',
    taken: /aliases printed by GAM/,
    entries: [['a@example.com'], ['everybody@example.com']],
    lacks: ['users', 'groups'],
    flags: [{ kind: 'user' }, { kind: 'group' }],
  },
  'GAM: print aliases onerowpertarget': {
    list: 'Target,TargetType,Aliases\nann@example.com,User,a@example.com an@example.com\n',
    taken: /aliases printed by GAM/,
    entries: [['a@example.com', 'an@example.com']],
    lacks: ['users', 'groups'],
  },
  'GAM: print addresses': {
    list: 'Type,Email\nUser,ann@example.com\nUserAlias,a@example.com\nGroup,all@example.com\n',
    taken: /addresses printed by GAM/,
    entries: [['ann@example.com'], ['a@example.com'], ['all@example.com']],
  },
  'Entra ID: Download groups': {
    list:
      'id,displayName,groupType,membershipType,source,mail,securityEnabled,mailEnabled,isAssignableToRole,onPremisesSyncEnabled\n' +
      '1,Älle,Microsoft 365,Assigned,Cloud,all@example.com,False,True,False,\n2,Doors,Security,Assigned,Cloud,,True,False,False,\n',
    taken: /Entra ID’s Download groups/,
    entries: [['all@example.com']],
    lacks: ['aliases', 'users'],
    notes: [/1 row without any address skipped/],
  },
  'Entra ID: Get-MgUser, names to log in with': {
    list: '"DisplayName","Id","UserPrincipalName"\r\n"Ann Ä","1","ann@example.com"\r\n',
    taken: /addresses from UserPrincipalName/,
    entries: [['ann@example.com']],
    lacks: ['aliases'],
  },
  'Active Directory: Get-ADUser with joined proxyAddresses': {
    list: '"DistinguishedName","mail","ObjectClass","ObjectGUID","proxyAddresses","UserPrincipalName"\r\n"CN=Ann Ä,DC=x","ann@example.com","user","1","SMTP:ann@example.com;smtp:a@example.com","ann@login.example"\r\n',
    taken: /Active Directory/,
    entries: [['ann@example.com', 'a@example.com']],
    flags: [{ kind: 'user' }],
    lacks: ['groups'],
  },
  'FOPE and EOP: users by position': {
    list:
      'luka@example.com,Luká,Arbus,l.arbus@example.com,lukaa/msn,\r\n' +
      'david@example.com,David,Pelton,,davidp@hotmail.example/yahoo,alt:davidp@hotmail.example\r\n',
    taken: /user list of FOPE or EOP/,
    entries: [['luka@example.com', 'l.arbus@example.com'], ['david@example.com']],
  },
  'Postfix: relay_recipients': {
    list:
      '# relay recipients, für example.com\n\nann@example.com OK\nbob@example.com\n    OK\n' +
      '"john smith"@example.com x\n|pipe@example.com OK\n  # more\n',
    taken: /taken for a Postfix lookup table/,
    entries: [['ann@example.com'], ['bob@example.com'], ['"john smith"@example.com'], ['|pipe@example.com']],
    notes: [/2 comments skipped/],
  },
  'one address a line': {
    list: '# ä\nann@example.com\n  bob@example.com\nsmtp:carl@example.com\n',
    taken: /taken for one address a line/,
    entries: [['ann@example.com'], ['bob@example.com'], ['carl@example.com']],
    notes: [/1 comment skipped/],
  },
};

const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-16LE': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'windows-1252': (text) => Buffer.from(text, 'latin1'),
};

describe.each(Object.entries(cases))('%s', (_, one) => {
  it.each(Object.entries(encodings))('in %s', async (_name, encode) => {
    const { entries, report, problems } = await read(encode(one.list), one.lacks);
    expect(entries.map(({ addresses }) => addresses.map(({ value }) => value))).toEqual(one.entries);
    expect(report.description).toMatch(one.taken);
    expect(report.complete).toBe(one.complete ?? true);
    for (const note of one.notes ?? []) expect(report.notes?.some((text) => note.test(text))).toBe(true);
    if (one.flags !== undefined) expect(entries).toMatchObject(one.flags);
    if (one.complete !== false)
      expect(problems.filter(({ reason }) => !/^no address$|example row/.test(reason))).toEqual([]);
  });
});

it('somebody who names the column of disabled accounts is believed', async () => {
  const { list = '' } = cases['Entra ID: Download users'] ?? {};
  const columns = { disabled: 'accountEnabled' };
  const { entries, report } = await readList(list, { encoding: 'auto', respectDisabled: true, columns });
  expect(entries.map(({ disabled }) => disabled)).toEqual([false, true]);
  expect(report.notes?.join()).not.toContain('nobody counts as disabled');
});

describe('what a known export leaves out', () => {
  const lacking = Object.entries(cases).filter(([, { lacks = [] }]) => lacks.length > 0);

  // a living alias, or a group, would be refused
  it.each(lacking)(
    '%s: is no complete list until somebody says that it may',
    async (_, { list, lacks = [] }) => {
      const { report, entries } = await read(list);
      expect(report.complete).toBe(false);
      expect(entries.length).toBeGreaterThan(0);
      for (const part of lacks)
        expect(report.reasons).toContainEqual(expect.stringContaining(`${part} are missing`));
      expect(report.reasons.at(-1)).toContain(`set mayLack: ${JSON.stringify(lacks)} of the source`);
    },
  );

  it('counts for each part by itself', async () => {
    const { report } = await read(cases['Entra ID: Download users']?.list ?? '', ['groups']);
    expect(report.complete).toBe(false);
    expect(report.reasons.join()).not.toContain('groups');
    expect(report.notes).toContainEqual(expect.stringContaining('groups are missing'));
  });

  it('is not asked of a list that somebody wrote', async () => {
    const { report } = await read('email\nann@example.com\n');
    expect(report).toMatchObject({ complete: true, reasons: [] });
    expect(report.notes).toContainEqual(expect.stringContaining('no column of aliases'));
  });
});
