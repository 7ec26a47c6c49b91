/** Haraka asks through the plugin in integrations/haraka. Lines for config/plugins and config/rollcall.ini. */
import { commonNotes, hostPort, reach, type Way } from './facts.js';

const httpWay: Way = {
  door: 'http',
  example: '"http": { "listen": "127.0.0.1:10047" }',
  make(facts) {
    const address = reach(facts, 'http', 'inet');
    if (address === undefined || !('port' in address)) return undefined;
    return {
      files: [
        {
          file: 'config/plugins',
          lines: [
            '# Rollcall: before rcpt_to.in_host_list and every other rcpt plugin, as the first OK ends the asking.',
            'haraka-plugin-rollcall',
          ],
        },
        { file: 'config/rollcall.ini', lines: [`url=http://${hostPort(address)}`] },
      ],
      notes: [
        'The plugin is in integrations/haraka of Rollcall: npm install it in the folder of your Haraka.',
        'config/host_list must name your domains.',
        ...commonNotes(facts, 'http'),
      ],
    };
  },
};

export const harakaWays: readonly Way[] = [httpWay];
