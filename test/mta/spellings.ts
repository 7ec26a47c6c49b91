/** Spellings that a mail server takes for `name@example.com`, and that name nobody else. */

/** To Postfix and to Sendmail, whatever they are configured with. */
export const common = (name: string): string[] => [
  `${name} @ example.com`,
  `${name}(comment)@example.com`,
  `Foo <${name}@example.com>`,
  `example.com!${name}`,
  `${name}%example.com`,
];

/** To Sendmail that calls itself `host`: routes by way of it. */
export const byWayOf = (host: string, name: string): string[] => [
  `${name}%example.com@${host}`,
  `@${host}:${name}@example.com`,
  `example.com!${name}@${host}`,
  `"${name}@example.com"@${host}`,
];
