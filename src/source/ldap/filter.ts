/** Search filters as text (RFC 4515): values escaped, filters joined. */

/** RFC 4515 §3: what could mean something else than itself, as `\xx`. Beyond ASCII all is itself. */
export function escapeValue(value: string): string {
  return value.replace(/[\x00-\x7f]/g, (character) =>
    /[\w@.+-]/.test(character) ? character : `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function allOf(...filters: readonly string[]): string {
  return `(&${filters.join('')})`;
}

export function anyOf(filters: readonly string[]): string {
  return `(|${filters.join('')})`;
}

/** The attributes that a filter asks for, as it spells them. */
export function attributesIn(filter: string): string[] {
  return [...filter.matchAll(/\(\s*([A-Za-z][A-Za-z0-9-]*)/g)].map(([, name]) => name ?? '');
}
