/**
 * The mail servers of sources of kind `smtp`: can each be asked, does it take everybody, does it take anybody.
 *
 * Asks each server, for one domain, about a random recipient and about the domain's witness; sends no message, keeps nothing.
 */
import { randomBytes } from 'node:crypto';
import { parseMailbox } from '../../address/mailbox.js';
import { wordOf } from '../../callahead/classify.js';
import type { Reply } from '../../callahead/finding.js';
import { openSession, textOf } from '../../callahead/smtp-session.js';
import { deadlineIn, hostText, type Host } from '../../callahead/wire.js';
import { sessionOptions } from '../../compose/call-ahead.js';
import type { Config } from '../../config/schema.js';
import type { SmtpSourceConfig } from '../../config/sources/smtp.js';
import { messageOf } from '../../errors.js';
import { error, ok, warn, type Finding } from './finding.js';

export async function checkMailServers(
  config: Config,
  name: string,
  source: SmtpSourceConfig,
): Promise<Finding[]> {
  const [domain] = Object.entries(config.domains).find(([, { sources }]) => sources.includes(name)) ?? [];
  if (domain === undefined) return [];
  return await Promise.all(source.hosts.map((host) => checkServer(name, source, host, domain)));
}

async function checkServer(
  name: string,
  source: SmtpSourceConfig,
  host: Host,
  domain: string,
): Promise<Finding> {
  const about = `source ${name}`;
  const server = hostText(host);
  try {
    const { random, witness } = await askTwice(name, source, host, domain);
    if (random === undefined) return error(about, `${server} cannot be asked`, '', 'Look at its log.');
    return judge(about, server, domain, source, random, witness);
  } catch (cause) {
    const why = 'Recipients that are not in the cache are deferred.';
    return error(
      about,
      `${server} cannot be asked: ${messageOf(cause)}`,
      why,
      'Mend the server, or `hosts`.',
    );
  }
}

interface Said {
  readonly random: Reply | undefined;
  readonly witness: Reply | 'unnamed' | undefined;
}

async function askTwice(name: string, source: SmtpSourceConfig, host: Host, domain: string): Promise<Said> {
  const deadline = deadlineIn(source.timeout);
  const session = await openSession(host, sessionOptions(name, source), deadline);
  try {
    const random = await session.ask(`rollcall${randomBytes(10).toString('hex')}@${domain}`, deadline);
    const address = source.witness?.find((each) => isIn(each, domain));
    const witness = address === undefined ? 'unnamed' : await session.ask(address, deadline);
    return { random, witness };
  } finally {
    session.wire.quit();
  }
}

function isIn(address: string, domain: string): boolean {
  const parsed = parseMailbox(address);
  const asked = parseMailbox(`x@${domain}`);
  return parsed.ok && asked.ok && parsed.mailbox.domain === asked.mailbox.domain;
}

function judge(
  about: string,
  server: string,
  domain: string,
  { unknownStatuses, whenBlind }: SmtpSourceConfig,
  random: Reply,
  witness: Reply | 'unnamed' | undefined,
): Finding {
  const word = wordOf(random, unknownStatuses);
  const [what, why] = [`${server} in ${domain}`, `It said: ${textOf(random)}.`];
  if (word === 'known')
    return warn(
      about,
      `${what}: takes every recipient, so it tells nothing (whenBlind: ${whenBlind})`,
      'Mail for nobody is accepted, and somebody has to bounce it.',
      'Switch on recipient checks there, or give the domain a list.',
    );
  if (word === 'unclear')
    return warn(
      about,
      `${what}: does not clearly refuse who does not exist`,
      `${why} Unknown recipients are deferred, not refused.`,
      'If that is how it says "no such mailbox", put its enhanced code into `unknownStatuses`.',
    );
  if (witness === 'unnamed')
    return warn(
      about,
      `${what}: tells its recipients apart, and no witness is named for it`,
      'Unknown recipients are deferred until the server has taken somebody.',
      'Name a mailbox that exists there in `witness`.',
    );
  if (witness === undefined || wordOf(witness, unknownStatuses) !== 'known')
    return warn(
      about,
      `${what}: does not take the witness that is named for it`,
      `${witness === undefined ? '' : `It said: ${textOf(witness)}. `}Unless it takes another one it is not believed, and unknown recipients are deferred.`,
      'Name a mailbox that exists there in `witness`, or look whether the server has lost its list.',
    );
  return ok(about, `${what}: tells its recipients apart`);
}
