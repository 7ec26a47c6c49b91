/** The commands that change nothing, and what is no command. */
import { proxyReplies } from './replies.js';
import { farewell, said, wrong, type Said } from './said.js';

/** `line` is all of it. */
export function aside(verb: string, rest: string, line: string): Said {
  switch (verb) {
    case 'NOOP':
      return said(proxyReplies.ok);
    case 'QUIT':
      return farewell(proxyReplies.bye);
    case 'VRFY':
      return rest === '' ? wrong(proxyReplies.vrfySyntax) : said(proxyReplies.vrfy);
    case 'HELP':
      return said(proxyReplies.help);
    case 'EXPN':
    case 'AUTH':
    case 'BDAT':
    case 'TURN':
    case 'ETRN':
      return wrong(proxyReplies.unimplemented);
    default:
      // A web page that makes a browser talk to us must not get far.
      return /^[A-Z]+ \S+ HTTP\/\d/i.test(line) ? farewell(proxyReplies.http) : wrong(proxyReplies.unknown);
  }
}
