/**
 * References: eight characters that find an answer again. 40 random bits in Crockford's base 32 (no I, L, O, U), so that
 * they can be read over the telephone; not a secret.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function createReference(random: () => number = Math.random): string {
  let text = '';
  for (let i = 0; i < 8; i++) text += alphabet.charAt(Math.floor(random() * 32));
  return text;
}
