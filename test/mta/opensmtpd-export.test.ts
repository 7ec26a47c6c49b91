/** OpenSMTPD cannot ask anybody: it reads the table that Rollcall writes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deferred } from '../support/defer.js';
import { haveOpensmtpd, startOpensmtpd, type Opensmtpd } from '../support/opensmtpd.js';
import { createExportHouse, type ExportHouse } from './export-house.js';
import { rcpt } from './scenario.js';

describe.skipIf(!haveOpensmtpd)('OpenSMTPD with a table written by rollcall export', () => {
  const defer = deferred();
  let house: ExportHouse;
  let opensmtpd: Opensmtpd;
  const ask = (recipient: string) => rcpt(opensmtpd.port, recipient);

  beforeAll(async () => {
    house = createExportHouse('opensmtpd');
    defer(() => house.remove());
    await house.list(['person', 'person2', 'person3', 'first.last']);
    await house.exportWell();
    opensmtpd = await startOpensmtpd({
      domains: ['example.com'],
      lines: [`table recipients file:${house.file}`],
    });
    defer(() => opensmtpd.stop());
  }, 60_000);

  it('takes the known and refuses the unknown at RCPT, with no Rollcall running', async () => {
    expect(await ask('person@example.com'), opensmtpd.log()).toMatch(/^250 /);
    expect(await ask('nobody@example.com'), opensmtpd.log()).toMatch(/^550 /);
    expect(await ask('PERSON@EXAMPLE.COM')).toMatch(/^250 /);
    expect(await ask('postmaster@example.com')).toMatch(/^250 /);
    expect(await ask('first.last@example.com')).toMatch(/^250 /);
    expect(await ask('person+news@example.com'), opensmtpd.log()).toMatch(/^250 /);
  });

  it('takes somebody new once the table is read again', async () => {
    await house.list(['person', 'person2', 'newcomer', 'first.last']);
    await house.exportWell();
    await opensmtpd.updateTable('recipients');
    expect(await ask('newcomer@example.com'), opensmtpd.log()).toMatch(/^250 /);
    // removed lately: the table can only say that somebody exists
    expect(await ask('person3@example.com')).toMatch(/^250 /);
    expect(await ask('nobody@example.com')).toMatch(/^550 /);
  });
});
