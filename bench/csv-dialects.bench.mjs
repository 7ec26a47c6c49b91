/** The same 1 M addresses in each dialect and encoding, against plain UTF-8 with commas: a whole sync each time. */

import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { alternate, must, report, seconds } from './lib/measure.mjs';
import { configure, sync } from './lib/product.mjs';
import { csvList, workFolder } from './lib/workload.mjs';

const rows = 1_000_000;
const folder = workFolder();
const plain = await csvList(rows);

const join2 = (separator) => (cells) => cells.join(separator);
const quoted = (cells) => cells.map((cell) => `"${cell}"`).join(',');
/** Each: cells of a row to its line, the line's end, and the text to octets; `mark` comes first. */
const dialects = {
  semicolon: { line: join2(';') },
  tab: { line: join2('\t') },
  pipe: { line: join2('|') },
  'quoted, CRLF': { line: quoted, end: '\r\n' },
  'sep= line': { line: join2(';'), mark: 'sep=;\n' },
  'UTF-8 with mark': { line: join2(','), mark: '\ufeff' },
  'UTF-16LE': { line: join2(','), mark: '\ufeff', encode: (text) => Buffer.from(text, 'utf16le') },
  'UTF-16BE': { line: join2(','), mark: '\ufeff', encode: (text) => Buffer.from(text, 'utf16le').swap16() },
  'windows-1252': {
    line: ([a, ...rest]) => [a, `\u00e4${rest.join(' ')}`].join(','),
    encode: (text) => Buffer.from(text, 'latin1'),
  },
};

async function write(path, { line, end = '\n', mark = '', encode = (text) => Buffer.from(text) }) {
  const out = createWriteStream(path);
  let text = mark;
  for await (const row of createInterface({ input: createReadStream(plain) })) {
    text += line(row.split(',')) + end;
    if (text.length < 65_536) continue;
    if (!out.write(encode(text))) await once(out, 'drain');
    text = '';
  }
  out.end(encode(text));
  await once(out, 'close');
}

const contenders = { plain: { path: plain } };
for (const [name, dialect] of Object.entries(dialects)) {
  const path = join(folder, `${name.replace(/\W+/g, '-')}.csv`);
  await write(path, dialect);
  contenders[name] = { path };
}

const measured = {};
for (const [name, { path }] of Object.entries(contenders)) {
  const product = await configure(join(folder, name.replace(/\W+/g, '-')), {
    sources: { list: { kind: 'csv', path } },
  });
  measured[name] = () => {
    rmSync(product.dataDir, { recursive: true, force: true });
    return seconds(async () => {
      const { counts } = await sync(product, 'list');
      must(counts.added === rows, `${name}: added ${counts.added} rows`);
    });
  };
}
const figures = await alternate(measured, { rounds: 3, warmUps: 0 });
const slowest = Math.max(...Object.values(figures));

report({
  name: 'csv-dialects',
  unit: 's',
  rows: Object.entries(figures).map(([what, value]) => ({ what, value })),
  value: slowest / figures.plain,
  target: { atMost: 1.5 },
});
