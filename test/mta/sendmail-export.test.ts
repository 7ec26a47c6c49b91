/** Sendmail with an access map made out of what Rollcall writes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveSendmail, startSendmail, type Sendmail } from '../support/sendmail.js';
import { createExportHouse, type ExportHouse } from './export-house.js';
import { rcpt } from './scenario.js';

const makemapProgram = fileURLToPath(
  new URL('../../.cache/peers/sendmail/usr/libexec/sendmail/makemap', import.meta.url),
);

describe.skipIf(!haveSendmail)('Sendmail with an access map written by rollcall export', () => {
  const defer = deferred();
  let house: ExportHouse;
  let sendmail: Sendmail;
  const ask = (recipient: string) => rcpt(sendmail.port, recipient);
  /** As `makemap hash FILE < FILE`, the hook of the documentation. */
  const makemap = () =>
    execFileSync(makemapProgram, ['-C', '/dev/null', 'hash', house.file], {
      input: readFileSync(house.file),
    });

  beforeAll(async () => {
    house = createExportHouse('sendmail-access');
    defer(() => house.remove());
    await house.list(['person', 'person2', 'person3', 'first.last']);
    await house.exportWell();
    makemap();
    sendmail = await startSendmail({
      domains: [],
      mc: [
        // the folder of a test is below /tmp, which everybody may write to
        "define(`confDONT_BLAME_SENDMAIL', `MapInUnsafeDirPath,GroupWritableDirPathSafe')",
        `FEATURE(\`access_db', \`hash -T<TMPF> ${house.file}')`,
        "FEATURE(`blacklist_recipients')",
      ],
    });
    defer(() => sendmail.stop());
  }, 60_000);

  it('takes the known and refuses the unknown at RCPT, with no Rollcall running', async () => {
    expect(await ask('person@example.com'), sendmail.log()).toMatch(/^250 /);
    expect(await ask('nobody@example.com'), sendmail.log()).toMatch(/^550 5\.1\.1 /);
    expect(await ask('PERSON@EXAMPLE.COM')).toMatch(/^250 /);
    expect(await ask('postmaster@example.com')).toMatch(/^250 /);
    expect(await ask('first.last@example.com')).toMatch(/^250 /);
    expect(await ask('person+news@example.com'), sendmail.log()).toMatch(/^250 /);
  });

  it('defers who was removed lately, and takes somebody new', async () => {
    await house.list(['person', 'person2', 'newcomer', 'first.last']);
    await house.exportWell();
    makemap();
    expect(await ask('newcomer@example.com'), sendmail.log()).toMatch(/^250 /);
    expect(await ask('person3@example.com')).toMatch(/^450 4\.2\.1 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 5\.1\.1 /);
  });
});
