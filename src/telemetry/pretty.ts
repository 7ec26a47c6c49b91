/**
 * Log lines for a person: `12:31:07 info  message field=value`. Promises one line an event, controls escaped by JSON.
 */
import type { DestinationStream } from 'pino';

/** Rewrites pino's JSON lines; a line that is not JSON passes as it is. */
export function prettyStream(out: DestinationStream): DestinationStream {
  return {
    write(line: string): void {
      out.write(prettyLine(line));
    },
  };
}

function prettyLine(line: string): string {
  const event = parse(line);
  if (event === undefined) return line;
  const { level, time, msg, ...fields } = event;
  const clock = text(time).slice(11, 19);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  return `${clock} ${text(level).padEnd(5)} ${text(msg)}${rest.join('')}\n`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"\\=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  return JSON.stringify(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
