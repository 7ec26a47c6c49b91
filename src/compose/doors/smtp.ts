/** The `smtp` door from its section. */
import type { Config } from '../../config/schema.js';
import { createSmtpEdge } from '../../edge/smtp/smtp-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';
import { smtpServerOptions, withTls } from './smtp-server.js';

export function buildSmtp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { smtp } = config.edges;
  if (smtp === undefined) return undefined;
  const options = { ...smtpServerOptions('smtp', smtp, deps), greetingDelayMs: smtp.greetingDelay };
  return withTls('smtp', smtp, createSmtpEdge(options));
}
