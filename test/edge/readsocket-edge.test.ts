/** What the readsocket edge asks. */
import { expect, it } from 'vitest';
import { openClient } from './client.js';
import { runReadsocket } from './edges.js';
import { recorder } from './fake-decide.js';

it('asks as somebody who folds case, as Exim does, and who keeps to its own rules for other domains', async () => {
  const record = recorder();
  const { address } = await runReadsocket(record);
  const client = await openClient(address);
  client.send('known@example.com\ts@client.example\t192.0.2.7\n"a b"@example.com\n');
  for (let line = 0; line < 2; line += 1) expect(await client.line()).toMatch(/^250 /);
  client.close();
  const always = { folded: true, advisory: true, edge: 'readsocket' };
  expect(record.asked).toEqual([
    {
      ...always,
      recipient: 'known@example.com',
      form: 'internal',
      sender: 's@client.example',
      client: '192.0.2.7',
    },
    { ...always, recipient: '"a b"@example.com', form: 'smtp', sender: undefined, client: undefined },
  ]);
});
