/** The bare ldapts paged read: `ldap-read.mjs URL BASE BIND-DN PASSWORD`; prints how many entries came. */

import { Client } from 'ldapts';

const [url, base, bindDn, password] = process.argv.slice(2);
const client = new Client({ url });
await client.bind(bindDn, password);
let entries = 0;
const options = {
  filter: '(mail=*)',
  attributes: ['entryUUID', 'mail', 'objectClass'],
  paged: { pageSize: 500 },
};
for await (const page of client.searchPaginated(base, options)) entries += page.searchEntries.length;
await client.unbind();
process.stdout.write(`${entries}\n`);
