/** GUIDs as Active Directory stores them (MS-DTYP 2.3.4.2): the first three fields are little-endian. */

/** `1fb9f2a0-…` from 16 octets; undefined when there are not 16. */
export function guidText(bytes: Buffer | undefined): string | undefined {
  if (bytes?.length !== 16) return undefined;
  const [a, b, c] = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)].map((field) =>
    Buffer.from(field).reverse().toString('hex'),
  );
  return [a, b, c, bytes.toString('hex', 8, 10), bytes.toString('hex', 10)].join('-');
}

/** The 16 octets of what `guidText` gave. */
export function guidBytes(text: string): Buffer {
  const fields = text.split('-').map((field) => Buffer.from(field, 'hex'));
  return Buffer.concat(fields.map((field, index) => (index < 3 ? field.reverse() : field)));
}
