/** OpenSMTPD cannot ask: it looks into a table that is exported, or stands behind the proxy door. Lines for smtpd.conf. */
import {
  commonNotes,
  delimitersOf,
  exportedFacts,
  hostPort,
  reach,
  spellings,
  type Facts,
  type Way,
} from './facts.js';

const exportWay: Way = {
  door: 'export',
  example: '',
  make(facts) {
    const found = facts.exports?.find(({ format }) => format === 'opensmtpd');
    if (found === undefined) return undefined;
    const exported = exportedFacts(facts, found);
    // one character for all of them, or `rollcall export` refuses the file
    const [delimiter] = delimitersOf(exported);
    const names = exported.domains.flatMap(spellings);
    return {
      files: [
        {
          file: 'smtpd.conf',
          lines: [
            `# Rollcall, the file of the export ${found.name}: who is not in it is refused at RCPT.`,
            ...(delimiter === undefined ? [] : [`smtp sub-addr-delim "${delimiter}"`]),
            `table recipients file:${found.path}`,
            '# In place of your own rule for these domains; "relay" is the name of your action.',
            `match from any for domain { ${names.map((name) => `"${name}"`).join(', ')} } rcpt-to <recipients> action "relay"`,
          ],
        },
      ],
      notes: [
        'The hook of the export: smtpctl update table recipients.',
        'A file keeps refusing whom it does not name, however old it grows: watch its age.',
        'OpenSMTPD searches a file line by line: with more than some ten thousand addresses take the proxy door.',
        'No other match rule may accept these domains.',
        ...differing(exported),
        ...commonNotes(exported, 'export'),
      ],
    };
  },
};

function differing(facts: Facts): string[] {
  const delimiters = delimitersOf(facts);
  if (delimiters.length < 2) return [];
  return [
    `OpenSMTPD cuts subaddresses off at one character, and these domains have ${delimiters.join(' ')}: rollcall export refuses ` +
      'to write them into one file. Name under "domains" of the export those that share one, and let the others ask by the proxy door.',
  ];
}

const proxyWay: Way = {
  door: 'proxy',
  example: '"proxy": { "listen": "0.0.0.0:25", "nextHops": ["127.0.0.1:10043"] }',
  make: behindProxy,
};

function behindProxy(facts: Facts) {
  const address = reach(facts, 'proxy', 'inet');
  if (address === undefined || !('port' in address)) return undefined;
  const next = facts.nextHops?.[0] ?? '127.0.0.1:10043';
  const [, host = '127.0.0.1', port = '10043'] = /^\[?(.*?)\]?:(\d+)$/.exec(next) ?? [];
  return {
    files: [
      {
        file: 'smtpd.conf',
        lines: [
          `# Rollcall's proxy takes the mail on ${hostPort(address)} and passes it on to here. Only from this machine.`,
          `listen on ${host} port ${port}`,
        ],
      },
    ],
    notes: [
      ...(facts.nextHops?.[0] === next ? [] : [`edges.proxy.nextHops must name ${next}.`]),
      'Every client then comes from 127.0.0.1: no rule may trust `from local` there, or it is an open relay.',
      ...commonNotes(facts, 'proxy'),
    ],
  };
}

export const opensmtpdWays: readonly Way[] = [exportWay, proxyWay];
