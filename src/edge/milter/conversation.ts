/**
 * The milter conversation: what is said to each command, and what is remembered between them.
 *
 * A recipient is judged at RCPT (recipient.ts); everything else is let go on, when the MTA waits for an answer at all.
 * Refuses, by closing, what is no protocol: commands before the negotiation, data that cannot be read. The MTA's
 * default action speaks then, and that is to defer.
 */
import { octetsToText, type Asker } from '../ask.js';
import type { Answer } from '../exchange.js';
import { copy, frame, type Frame } from './codec.js';
import { clientOf, firstString, pathOf } from './envelope.js';
import { negotiate, negotiationData, type Negotiated, type Wants } from './negotiation.js';
import { answers, commands, unanswered } from './protocol.js';
import { judgeRecipient } from './recipient.js';
import { goOn } from './reply.js';

export interface ConversationOptions extends Asker {
  readonly wants: Wants;
}

/** What a command leads to: an answer, none, the end of the connection as the MTA wishes, or because of a problem. */
export type Outcome = Answer | Promise<Answer> | 'nothing' | 'quit' | { readonly problem: string };

export interface Conversation {
  take(frame: Frame): Outcome;
  /** Between MAIL and the end of the message, or its abort. */
  inTransaction(): boolean;
}

const continued: Answer = { text: goOn };

export function createConversation(options: ConversationOptions): Conversation {
  let negotiated: Negotiated | undefined;
  let client: string | undefined;
  let sender: string | undefined;
  let transaction = false;
  let macros = '';

  function take({ command, data }: Frame): Outcome {
    if (command === commands.negotiate) return begin(data);
    if (negotiated === undefined) return { problem: 'a command before the option negotiation' };
    switch (command) {
      case commands.macro:
        if (data.startsWith(commands.recipient)) macros = data;
        return 'nothing';
      case commands.recipient:
        return judge(data);
      case commands.connect:
        forgetClient();
        client = clientOf(copy(data));
        return goesOn(negotiated, command);
      case commands.mail:
        return open(negotiated, data);
      case commands.endOfBody:
        forgetTransaction();
        return continued;
      case commands.abort:
        forgetTransaction();
        return 'nothing';
      case commands.quitNewConnection:
        forgetClient();
        return 'nothing';
      case commands.quit:
        return 'quit';
      default:
        return goesOn(negotiated, command);
    }
  }

  function begin(data: string): Outcome {
    const result = negotiate(data, options.wants);
    if (typeof result === 'string') return { problem: result };
    forgetClient();
    negotiated = result;
    return { text: frame(answers.negotiate, negotiationData(result)) };
  }

  function open(agreed: Negotiated, data: string): Outcome {
    const typed = firstString(data);
    if (typed === undefined) return { problem: 'MAIL without an address' };
    sender = octetsToText(copy(pathOf(typed)));
    transaction = true;
    return goesOn(agreed, commands.mail);
  }

  function judge(data: string): Outcome {
    const typed = firstString(data);
    if (typed === undefined) return { problem: 'RCPT without an address' };
    const ofRecipient = macros;
    macros = '';
    return judgeRecipient(options, pathOf(typed), ofRecipient, { sender, client });
  }

  function forgetTransaction(): void {
    transaction = false;
    sender = undefined;
    macros = '';
  }

  function forgetClient(): void {
    forgetTransaction();
    client = undefined;
  }

  return { take, inTransaction: () => transaction };
}

/** CONTINUE, unless it was agreed that nobody waits for it. */
function goesOn({ protocol }: Negotiated, command: string): Outcome {
  const bit = command in unanswered ? unanswered[command as keyof typeof unanswered] : 0;
  return (protocol & bit) === 0 ? continued : 'nothing';
}
