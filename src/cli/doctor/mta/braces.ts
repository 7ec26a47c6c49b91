/** Arguments in braces, as Exim writes them: `{inet:127.0.0.1:10046}{…}{10s}`. */

/** What is in the braces that stand one after another from `start` on; `\{` does not count. */
export function bracedArguments(text: string, start: number): string[] {
  const found: string[] = [];
  let at = start;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at += 1;
    if (text[at] !== '{') return found;
    const end = closing(text, at);
    if (end < 0) return found;
    found.push(text.slice(at + 1, end));
    at = end + 1;
  }
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
